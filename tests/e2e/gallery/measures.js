// What a page is measured by, in the page itself: `measure(what)` answers the faults as a list of texts.
(what) => {
  const TARGET = 44; // CSS px, WCAG 2.5.5
  const READ = 18, SMALL = 16; // CSS px
  const SMALL_PRINT = "small, time, code, figcaption, thead th, .hint, .muted, .status";
  const CLIP_SLACK = 2; // px: rounding
  const SLIGHT = 0.005; // of the window: a word at the end of a line that was half read when it was painted; a late line is more

  const root = document.querySelector("dialog[open]") || document.body; // behind a dialog nothing can be used
  const name = (element) => {
    const words = (element.innerText || element.getAttribute("aria-label") || element.name || "").trim().replace(/\s+/g, " ");
    const classes = typeof element.className === "string" && element.className ? "." + element.className.trim().replace(/\s+/g, ".") : "";
    return `<${element.localName}${classes}> ${words.slice(0, 40)}`.trim();
  };
  const isHiddenToEyes = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const style = getComputedStyle(one);
      if (style.display === "none" || style.visibility !== "visible" || style.opacity === "0") return true;
      if (style.position === "absolute" && one.offsetWidth <= 1 && one.offsetHeight <= 1) return true;
    }
    const box = element.getBoundingClientRect();
    return box.width === 0 || box.bottom + window.scrollY <= 0 || box.right + window.scrollX <= 0;
  };
  const texts = (root) => {
    const found = [], walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const node = walker.currentNode, parent = node.parentElement;
      if (node.data.trim() && !parent.closest("script, style, option, template, details:not([open]) > :not(summary)") && !isHiddenToEyes(parent)) found.push(node);
    }
    return found;
  };

  // A link in a sentence is as high as its line: the exception "inline" of 2.5.5.
  const inSentence = (element) => {
    if (element.localName !== "a" || getComputedStyle(element).display !== "inline") return false;
    let block = element.parentElement;
    while (getComputedStyle(block).display.startsWith("inline")) block = block.parentElement;
    return block.innerText.trim().length > element.innerText.trim().length;
  };
  const isTick = (element) => ["radio", "checkbox"].includes(element.type);
  // A radio button or a tick box and its label are one target.
  const tick = (element) => {
    const boxes = [element, ...element.labels].map((part) => part.getBoundingClientRect());
    const span = (from, to) => Math.max(...boxes.map((box) => box[to])) - Math.min(...boxes.map((box) => box[from]));
    return [span("left", "right"), span("top", "bottom")];
  };
  // How far from its middle a target takes the pointer, whatever draws it: its box or a pseudo-element.
  const reach = (element) => {
    element.scrollIntoView({ block: "center", inline: "nearest" });
    const box = element.getBoundingClientRect();
    const x = Math.min(Math.max(box.left + box.width / 2, 1), innerWidth - 2), y = box.top + box.height / 2;
    const takes = (atX, atY) => {
      const hit = document.elementFromPoint(atX, atY);
      return hit !== null && element.contains(hit);
    };
    const along = (stepX, stepY) => {
      let length = 0;
      while (length <= TARGET && takes(x + stepX * (length + 1), y + stepY * (length + 1))) length += 1;
      return length;
    };
    return [along(-1, 0) + 1 + along(1, 0), along(0, -1) + 1 + along(0, 1)];
  };
  const targets = () => {
    const faults = [];
    for (const element of root.querySelectorAll("a[href], button, summary, select, textarea, input:not([type=hidden]), [role=button]")) {
      if (isHiddenToEyes(element) || inSentence(element)) continue;
      const box = element.getBoundingClientRect();
      if (box.width >= TARGET - 0.5 && box.height >= TARGET - 0.5) continue;
      const [width, height] = isTick(element) ? tick(element) : reach(element);
      if (width < TARGET || height < TARGET) faults.push(`${name(element)}: ${width} × ${height} px`);
    }
    window.scrollTo(0, 0);
    return faults;
  };

  const smallText = () => texts(document.querySelector("main")).flatMap((node) => {
    if (node.parentElement.closest("sup")) return []; // 1<sup>re</sup>: small by nature
    const size = parseFloat(getComputedStyle(node.parentElement).fontSize);
    const least = node.parentElement.closest(SMALL_PRINT) ? SMALL : READ;
    return size < least - 0.05 ? [`${name(node.parentElement)}: ${size} px`] : [];
  });

  const clipped = () => {
    const faults = [];
    for (const node of texts(root)) {
      const range = document.createRange();
      range.selectNodeContents(node);
      const box = range.getBoundingClientRect();
      let inScroller = false;
      for (let one = node.parentElement; one && one !== document.body; one = one.parentElement) {
        const style = getComputedStyle(one), frame = one.getBoundingClientRect();
        inScroller ||= ["auto", "scroll"].includes(style.overflowX);
        const hides = (flow) => flow === "hidden" || flow === "clip";
        const across = hides(style.overflowX) && (box.right > frame.right + CLIP_SLACK || box.left < frame.left - CLIP_SLACK);
        const down = hides(style.overflowY) && (box.bottom > frame.bottom + CLIP_SLACK || box.top < frame.top - CLIP_SLACK);
        if (across || down) faults.push(`${name(node.parentElement)} is clipped by ${name(one).split(" ")[0]}`);
      }
      if (!inScroller && box.left + window.scrollX < -CLIP_SLACK) faults.push(`${name(node.parentElement)} begins left of the page`);
    }
    return faults;
  };

  // Two texts lie upon each other where their lines' boxes share more than a third of the lower one's height.
  const overlaps = () => {
    const boxes = texts(root).flatMap((node) => {
      const range = document.createRange();
      range.selectNodeContents(node);
      return [...range.getClientRects()].filter((box) => box.width > 1).map((box) => ({ node, box }));
    });
    const faults = new Set();
    boxes.forEach((one, index) => {
      for (const other of boxes.slice(index + 1)) {
        if (one.node === other.node) continue;
        const width = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
        const height = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
        if (width > 2 && height > Math.min(one.box.height, other.box.height) / 3)
          faults.add(`${name(one.node.parentElement)} and ${name(other.node.parentElement)} lie upon each other`);
      }
    });
    return [...faults];
  };

  const wide = () => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const beyond = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > width + 0.5);
    return [`scrolls sideways: ${document.documentElement.scrollWidth} > ${width} px, ${beyond.slice(0, 3).map(name).join(", ")}`];
  };

  const shifts = () => window.__shifts.filter((shift) => shift.value > SLIGHT).map((shift) => `moved by ${shift.value.toFixed(4)}: ${shift.what}`);

  const structure = () => {
    const faults = [];
    const titles = [...document.querySelectorAll("h1")].filter((one) => !isHiddenToEyes(one));
    if (titles.length !== 1) faults.push(`${titles.length} headings of the first level`);
    const brand = document.querySelector("header a[href='/']");
    const title = document.title.split("·")[0].trim();
    if (!title || (brand && title === brand.innerText.trim())) faults.push(`the title says nothing: « ${document.title} »`);
    return faults;
  };

  const basics = () => [...wide(), ...smallText()];
  const spoilt = () => [...clipped(), ...overlaps(), ...wide()];

  return { targets, basics, spoilt, shifts, structure }[what]();
}
