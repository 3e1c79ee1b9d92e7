// What has the focus: whether its reader sees it and its ring; `walking`: whether it follows the one before.
(walking) => {
  const element = document.activeElement;
  if (!element || element === document.body) return { faults: [], inside: false };
  const faults = [];
  const words = `<${element.localName}> ${(element.innerText || element.name || element.id || "").trim().slice(0, 40)}`;

  const box = element.getBoundingClientRect();
  const x = Math.min(Math.max(box.left + box.width / 2, 0), innerWidth - 1), y = Math.min(Math.max(box.top + box.height / 2, 0), innerHeight - 1);
  const seen = box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth && box.width > 1;
  const hit = document.elementFromPoint(x, y);
  if (!seen) faults.push(`${words} has the focus out of sight`);
  else if (!hit || !(element.contains(hit) || hit.contains(element))) faults.push(`${words} has the focus behind something`);

  const channels = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  const luminance = ([red, green, blue]) => [red, green, blue]
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const contrast = (one, other) => {
    const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a);
    return (light + 0.05) / (dark + 0.05);
  };
  const ground = (start) => {
    for (let one = start; one; one = one.parentElement) {
      const colour = channels(getComputedStyle(one).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const hasRing = (one) => {
    const style = getComputedStyle(one);
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 3) return false;
    return contrast(channels(style.outlineColor), ground(one.parentElement)) >= 3;
  };
  let ringed = element;
  for (let up = 0; ringed && up < 3 && !hasRing(ringed); up += 1) ringed = ringed.parentElement;
  if (!ringed || !hasRing(ringed)) faults.push(`${words} has no ring of 3 px and 3:1 around it`);

  if (walking) {
    window.__walked ||= [];
    const before = window.__walked.at(-1);
    if (before !== element && window.__walked.length > 1 && window.__walked[0] === element) return { faults: [], inside: false }; // round again
    const follows = !before || before === element || before.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING;
    if (!follows) faults.push(`${words} stands before what had the focus`);
    window.__walked.push(element);
  }
  return { faults, inside: true };
}
