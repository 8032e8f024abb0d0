// Return each text whose contrast to its background is below 4.5 to 1, or 3 to 1 for large text.
const paint = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
function rgba(color) {
  paint.clearRect(0, 0, 1, 1);
  paint.fillStyle = color;
  paint.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = paint.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
}
function over(top, below) {
  return [0, 1, 2].map((of) => top[of] * top[3] + below[of] * (1 - top[3])).concat(1);
}
function behind(element) {
  const layers = [];
  for (let at = element; at; at = at.parentElement) layers.push(rgba(getComputedStyle(at).backgroundColor));
  return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255, 1]);
}
function light([r, g, b]) {
  const [x, y, z] = [r, g, b].map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * x + 0.7152 * y + 0.0722 * z;
}
const weak = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement, text = walker.currentNode.textContent.trim();
  if (!text || !element.checkVisibility({checkOpacity: true, checkVisibilityCSS: true})) continue;
  if (element.closest("script, [hidden], .hidden, :disabled, .skip")) continue;
  const style = getComputedStyle(element), back = behind(element);
  const fore = over(rgba(style.color), back), size = parseFloat(style.fontSize);
  const [high, low] = [light(fore), light(back)].sort((one, two) => two - one);
  const contrast = (high + 0.05) / (low + 0.05);
  const needed = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5;
  if (contrast < needed) weak.push(`${contrast.toFixed(2)}: ${text.slice(0, 40)} (${element.tagName}.${element.className})`);
}
return weak;
