// What is wrong with how a page looks, one sentence each. Run in the page.
({
  charts() {
    const wrong = [];
    for (const chart of document.querySelectorAll(".chart")) {
      const title = chart.closest(".panel").querySelector("h3").textContent;
      const panel = chart.closest(".panel").getBoundingClientRect();
      const box = chart.querySelector(".main-svg")?.getBoundingClientRect();
      if (!box || box.width < 200 || box.height < 80) wrong.push(`${title}: not drawn`);
      else if (box.right > panel.right || box.bottom > panel.bottom) wrong.push(`${title}: larger than its panel`);
      const lines = [...chart.querySelectorAll(".scatterlayer .trace")].filter((trace) => trace.querySelector(".lines path, .js-line"));
      const named = chart.closest(".panel").querySelectorAll(".legend tr:not(.threshold, .requests)").length;
      if (lines.length === 0 || lines.length !== named) wrong.push(`${title}: ${lines.length} lines, ${named} names`);
      for (const line of lines) {
        const marks = [...line.querySelectorAll("path")].map((path) => path.getBoundingClientRect());
        if (!marks.some((mark) => mark.width + mark.height > 0)) wrong.push(`${title}: a line without marks`);
      }
    }
    return wrong;
  },

  // Wider than the page, or cut off by it.
  overflow() {
    const wrong = [];
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth > width) wrong.push(`the page is ${document.documentElement.scrollWidth} px wide, not ${width}`);
    for (const element of document.body.querySelectorAll("*")) {
      if (element.closest("svg") || !element.getClientRects().length) continue;
      const panel = element.closest(".panel")?.getBoundingClientRect();
      if (element.getBoundingClientRect().right > (panel ? panel.right + .5 : width)) {
        wrong.push(`beyond the edge: ${element.tagName} ${element.textContent.trim().slice(0, 60)}`);
      }
    }
    return wrong;
  },

  // Numbers along the axes: whole, and beside one another.
  ticks() {
    const wrong = [];
    for (const chart of document.querySelectorAll(".chart")) {
      const title = chart.closest(".panel").querySelector("h3").textContent;
      const edge = chart.querySelector(".main-svg").getBoundingClientRect();
      const numbers = [...chart.querySelectorAll(".xtick text, .ytick text")];
      for (const axis of ["xtick", "ytick"]) {
        const count = chart.querySelectorAll(`.${axis} text`).length;
        if (count < 2) wrong.push(`${title}: ${count} numbers along ${axis}`);
      }
      const boxes = numbers.map((text) => text.getBoundingClientRect());
      for (const [at, box] of boxes.entries()) {
        const what = `${title}: ${numbers[at].textContent}`;
        if (box.left < edge.left - 1 || box.right > edge.right + 1 || box.bottom > edge.bottom + 1 || box.top < edge.top - 1) wrong.push(`${what} cut off`);
        for (const [nth, other] of boxes.entries()) {
          if (nth > at && box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom) wrong.push(`${what} over ${numbers[nth].textContent}`);
        }
      }
    }
    return wrong;
  },

  // Contrast as WCAG 2 computes it: 4.5 for text, 3 for large text and for lines.
  contrast() {
    const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const known = new Map();
    const channels = (colour) => {
      if (!known.has(colour)) known.set(colour, painted(colour));
      return known.get(colour);
    };
    const painted = (colour) => {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      return canvas.getImageData(0, 0, 1, 1).data;
    };
    const luminance = (colour) => {
      const [red, green, blue] = [...channels(colour)].map((value) => {
        const share = value / 255;
        return share <= .04045 ? share / 12.92 : ((share + .055) / 1.055) ** 2.4;
      });
      return .2126 * red + .7152 * green + .0722 * blue;
    };
    const behind = (element) => {
      for (let each = element; each; each = each.parentElement) {
        const colour = getComputedStyle(each).backgroundColor;
        if (channels(colour)[3] === 255) return colour;
      }
      return "white";
    };
    const wrong = new Set();
    const check = (element, colour, least, what) => {
      const [low, high] = [luminance(colour), luminance(behind(element))].sort((a, b) => a - b);
      const ratio = (high + .05) / (low + .05);
      if (ratio < least) wrong.add(`${what}: ${ratio.toFixed(2)}, not ${least} (${colour} on ${behind(element)})`);
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let count = 0;
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      const text = texts.currentNode.textContent.trim();
      if (!text || !element.getClientRects().length || element.closest("script, style")) continue;
      const style = getComputedStyle(element);
      const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 600);
      check(element, element.closest("svg") ? style.fill : style.color, large ? 3 : 4.5, text.slice(0, 40));
      count += 1;
    }
    for (const line of document.querySelectorAll(".swatch, path.js-line")) {
      check(line, getComputedStyle(line).stroke, 3, "a line");
    }
    if (count < 20) wrong.add(`only ${count} texts`);
    return [...wrong];
  },
})
