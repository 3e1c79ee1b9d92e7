// What the Tab key must reach and did not, on a walk all through the page.
() => {
  const usable = "a[href], button, summary, select, textarea, input:not([type=hidden]), [tabindex='0']";
  // Of a group of radio buttons the chosen one, else the first.
  const isEntrance = (one) => {
    if (one.type !== "radio") return true;
    const group = [...document.getElementsByName(one.name)];
    return one === (group.find((other) => other.checked) || group[0]);
  };
  return [...document.querySelectorAll(usable)]
    .filter((one) => !one.disabled && one.tabIndex >= 0 && one.checkVisibility({ visibilityProperty: true }) && isEntrance(one))
    .filter((one) => !(window.__walked || []).includes(one))
    .map((one) => one.outerHTML.slice(0, 120));
}
