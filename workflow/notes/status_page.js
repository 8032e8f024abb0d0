(function () {
  "use strict";
  var banner = document.getElementById("old"), written = Number(banner.dataset.written);
  function check() {
    var minutes = Math.floor((Date.now() - written) / 60000);
    banner.hidden = minutes < 3;
    banner.textContent = "This page is " + minutes + " minutes old: the service may have stopped.";
  }
  check();
  setInterval(check, 15000);
})();
