// Run before the page's own scripts: keeps what moves by itself, from the first paint on.
window.__shifts = [];
new PerformanceObserver((list) => {
  for (const shift of list.getEntries()) {
    if (shift.hadRecentInput) continue;
    const moved = shift.sources.map(({ node }) => node && (node.localName ? `<${node.localName} class="${node.getAttribute("class") || ""}">` : node.nodeName));
    window.__shifts.push({ value: shift.value, what: moved.join(", ") });
  }
}).observe({ type: "layout-shift", buffered: true });
