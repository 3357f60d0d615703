"use strict";
(() => {
  const BATCH = 12;
  const wide = matchMedia("(min-width: 64rem)");
  const contents = document.getElementById("contents");
  const unfold = () => { contents.open = wide.matches; };
  wide.addEventListener("change", unfold);
  unfold();

  const source = document.getElementById("data");
  if (!source) return;
  const { images, tags, problems } = JSON.parse(source.textContent);
  const [form, cards, more, count, empty] = ["filters", "cards", "more", "count", "empty"].map((id) => document.getElementById(id));
  const controls = [...form.elements].filter((control) => control.name);
  const usual = ({ options }) => (options ? ([...options].find((option) => option.defaultSelected) ?? options[0]).value : "");
  images.forEach((image, index) => {
    image.index = index;
    image.answers = new Map(Object.entries(image.answers));
  });

  // Filters ---------------------------------------------------------------------------------------------------------

  const readFilter = () => Object.fromEntries(controls.map(({ name, value }) => [name, value]));

  function state(image, answer) {
    if (!answer || !answer.verdict || answer.verdict === "unsure") return "none";
    return answer.verdict === image.label ? "right" : "wrong";
  }

  function matches(image, filter) {
    const answer = image.answers.get(filter.system);
    if (answer === undefined) return false; // the system has no answers on this data set
    const iou = answer && answer.iou;
    if (filter.set && image.set !== filter.set) return false;
    if (filter.verdict && state(image, answer) !== filter.verdict) return false;
    if (filter.label && image.label !== filter.label) return false;
    if (filter.generator && image.generator !== filter.generator) return false;
    if (filter.tag && ![...image.tags, ...((answer && answer.tags) || [])].includes(filter.tag)) return false;
    if ((filter.least || filter.most) && iou === null) return false;
    if (filter.least && iou < Number(filter.least)) return false;
    if (filter.most && iou > Number(filter.most)) return false;
    const words = filter.words.trim().toLowerCase();
    const regions = answer ? [...image.regions, ...answer.regions] : image.regions;
    return !words || [image.id, ...regions.map((region) => region.caption)].some((text) => text.toLowerCase().includes(words));
  }

  /** Sort keys of an answer: right or wrong, then IoU, then the probability of the label. Higher is better; null if unknown. */
  function ranks(image, answer) {
    if (!answer) return [0, 0, 0];
    const sure = answer.p_fake === null ? null : image.label === "fake" ? answer.p_fake : 1 - answer.p_fake;
    return [Number(answer.verdict === image.label), answer.iou, sure];
  }

  function sorted(found, { order, system }) {
    const sign = order === "worst" ? 1 : -1;
    const key = order === "p_fake" ? (image, answer) => [answer && answer.p_fake] : ranks;
    const keyed = found.map((image) => ({ image, key: order ? key(image, image.answers.get(system)) : [] }));
    keyed.sort((a, b) => {
      for (let i = 0; i < a.key.length; i += 1) {
        const [x, y] = [a.key[i], b.key[i]];
        if (x !== y) return x === null ? 1 : y === null ? -1 : sign * (x - y);
      }
      return a.image.index - b.image.index;
    });
    return keyed.map(({ image }) => image);
  }

  // Drawing; texts are only ever set as text ------------------------------------------------------------------------

  function make(tag, properties = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(properties)) {
      if (name in element) element[name] = value;
      else element.setAttribute(name, value);
    }
    element.append(...children.filter((child) => child !== null));
    return element;
  }

  function makeSvg(tag, attributes, ...children) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  const pictures = new WeakMap();
  const load = (img) => { if (!img.src) img.src = pictures.get(img); };
  const nearing = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries.filter((entry) => entry.isIntersecting)) {
      nearing.unobserve(target);
      load(target);
    }
  }, { rootMargin: "600px 0px" });
  addEventListener("beforeprint", () => cards.querySelectorAll("img").forEach(load));

  const rect = ([x1, y1, x2, y2], kind) =>
    makeSvg("rect", { class: kind, x: x1, y: y1, width: Math.max(1, x2 - x1), height: Math.max(1, y2 - y1) });

  function overlay(regions, [width, height]) {
    const drawn = regions.filter((region) => region.box);
    const boxes = drawn.map(({ mark, box }) => makeSvg("g", { class: "box", "data-mark": mark }, rect(box, "halo"), rect(box, "line")));
    const badges = drawn.map(({ mark, badge }) => makeSvg(
      "g", { class: "badge", "data-mark": mark }, rect(badge, ""),
      makeSvg("text", { x: (badge[0] + badge[2]) / 2, y: (badge[1] + badge[3]) / 2 }, mark),
    ));
    return makeSvg("svg", { viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, ...boxes, ...badges);
  }

  function picture(image, regions, kind) {
    if (!image.src) return make("p", { className: "refused" }, `The image is not shown. ${image.refused}`);
    const img = make("img", { alt: `Image ${image.id} with ${regions.filter((region) => region.box).length} ${kind} regions`, decoding: "async" });
    const frame = make("div", { className: image.wh[0] > 1.3 * image.wh[1] ? "picture broad" : "picture" }, img, overlay(regions, image.wh));
    frame.style.width = `${image.wh[0]}px`;
    frame.style.aspectRatio = image.wh.join(" / ");
    pictures.set(img, image.src);
    nearing.observe(img);
    return frame;
  }

  function caption(region, side) {
    const text = make("span", { dir: "auto" }, region.caption || "no caption");
    text.classList.toggle("soft", !region.caption);
    const item = make("li", {}, make("span", { className: "mark" }, region.mark), text);
    const light = (on) => () => {
      side.classList.toggle("lit", on && Boolean(region.box));
      side.querySelectorAll("[data-mark]").forEach((each) => each.classList.toggle("on", on && each.dataset.mark === region.mark));
    };
    item.addEventListener("pointerenter", light(true));
    item.addEventListener("pointerleave", light(false));
    return item;
  }

  function side(image, kind, heading, regions, named, nothing) {
    const section = make("section", { className: `side ${kind}` }, make("h4", {}, heading));
    const list = regions.length
      ? make("ol", {}, ...regions.map((region) => caption(region, section)))
      : make("p", { className: "soft" }, nothing);
    const chips = named && named.length
      ? make("ul", { className: "tags", "aria-label": "tags" }, ...named.map((tag) => make("li", {}, tags[tag] || tag)))
      : null;
    const shown = picture(image, regions, kind === "gold" ? "annotated" : "predicted");
    section.append(make("div", { className: "body" }, shown, make("div", { className: "words" }, list, chips)));
    return section;
  }

  const SIGNS = { right: "M2.5 8.5 6.5 12.5 13.5 3.5", wrong: "M3.5 3.5 12.5 12.5M12.5 3.5 3.5 12.5", none: "M3 8H13" };

  function verdict(image, answer, kind) {
    const words = {
      right: () => `right: ${image.label}`,
      wrong: () => `wrong: called ${answer.verdict}, but the image is ${image.label}`,
      none: () => `${!answer ? "no answer" : answer.verdict || "no readable verdict"}; the image is ${image.label}`,
    };
    const sign = makeSvg("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, makeSvg("path", { d: SIGNS[kind] }));
    return make("p", { className: "verdict" }, sign, words[kind]());
  }

  function voteBar(votes) {
    const names = Object.keys(votes);
    const bar = make("div", { className: "bar", "aria-hidden": "true" }, ...names.map((name) => {
      const part = make("span");
      part.style.flex = `${votes[name]} 0 0`;
      return part;
    }));
    const words = names.map((name) => make("li", {}, make("i"), make("bdi", {}, name), ` ${(100 * votes[name]).toFixed(1)} %`));
    return make("div", { className: "votes" }, make("h4", {}, "Human votes"), bar, make("ul", {}, ...words));
  }

  function listProblems(answer) {
    const list = make("ul", {}, ...answer.problems.map((code) => make("li", {}, problems[code] || code)));
    const text = answer.text ? make("details", {}, make("summary", {}, "Full text of the answer"), make("pre", { dir: "auto" }, answer.text)) : null;
    return make("div", { className: "problems" }, make("h4", {}, "Problems in the answer"), list, text);
  }

  const number = (value, digits) => (value === null || value === undefined ? "—" : value.toFixed(digits));

  function card(image, system) {
    const answer = image.answers.get(system);
    const kind = state(image, answer);
    const facts = [image.set, image.generator, `${image.pixels[0]} × ${image.pixels[1]} pixels`].filter(Boolean);
    const numbers = [["P(fake)", number(answer && answer.p_fake, 3)], ["IoU", number(answer && answer.iou, 2)]];
    const header = make(
      "header", {}, verdict(image, answer, kind), make("h3", {}, make("bdi", {}, image.id)),
      make("p", { className: "facts soft" }, ...facts.flatMap((fact, index) => [index ? " · " : "", make("bdi", {}, fact)])),
      make("dl", { className: "numbers" }, ...numbers.map(([name, value]) => make("div", {}, make("dt", {}, name), make("dd", {}, value)))),
    );
    const sides = make(
      "div", { className: "sides" },
      side(image, "gold", "Annotated", image.regions, image.tags, "no regions"),
      side(image, "pred", "Predicted", answer ? answer.regions : [], answer && answer.tags, answer ? "no boxes or captions" : "no answer"),
    );
    const trouble = answer && answer.problems.length ? listProblems(answer) : null;
    return make("article", { className: `card ${kind}`, tabIndex: -1 }, header, sides, image.votes ? voteBar(image.votes) : null, trouble);
  }

  // The list of cards, and the fragment of the address that restores the filters ------------------------------------

  let found = [];

  function show() {
    const from = cards.childElementCount;
    const { system } = readFilter();
    cards.append(...found.slice(from, from + BATCH).map((image) => card(image, system)));
    const left = found.length - cards.childElementCount;
    more.hidden = left === 0;
    more.textContent = `Show ${Math.min(BATCH, left)} more of ${left}`;
    return cards.children[from];
  }

  function update() {
    const filter = readFilter();
    found = sorted(images.filter((image) => matches(image, filter)), filter);
    nearing.disconnect();
    cards.replaceChildren();
    show();
    count.textContent = `${found.length} of ${images.length} images`;
    empty.hidden = found.length > 0;
  }

  function remember() {
    const chosen = controls.filter((control) => control.value !== usual(control)).map(({ name, value }) => [name, value]);
    const hash = chosen.length ? `#g:${new URLSearchParams(chosen)}` : "#gallery";
    history.replaceState(null, "", hash);
  }

  function restore() {
    if (!location.hash.startsWith("#g:")) return false;
    const chosen = new URLSearchParams(location.hash.slice(3));
    for (const control of controls) {
      control.value = chosen.get(control.name) ?? usual(control);
      if (control.selectedIndex === -1) control.value = usual(control);
    }
    return true;
  }

  form.addEventListener("input", () => { update(); remember(); });
  form.addEventListener("reset", () => setTimeout(() => { update(); remember(); }));
  more.addEventListener("click", () => show().focus({ preventScroll: true }));
  addEventListener("hashchange", () => { if (restore()) update(); });
  form.hidden = false;
  const restored = restore();
  update();
  if (restored) document.getElementById("gallery").scrollIntoView({ behavior: "instant" });
})();
