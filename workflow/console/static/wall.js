// The wall asks for itself again. Without this file the page reloads.
import {refresh} from "./live.js";
setInterval(refresh, 1000 * document.body.dataset.seconds);
