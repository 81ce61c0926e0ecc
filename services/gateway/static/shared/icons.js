/** Line icons of 24 × 24 units, drawn for this project. */

const PATHS = {
  photo: [
    "M4 6.5A2.5 2.5 0 0 1 6.5 4h11A2.5 2.5 0 0 1 20 6.5v11a2.5 2.5 0 0 1-2.5 2.5h-11A2.5 2.5 0 0 1 4 17.5z",
    "M4.5 16.5l4.2-4.2a1.4 1.4 0 0 1 2 0l6.8 6.8",
    "M14 14.5l1.4-1.4a1.4 1.4 0 0 1 2 0l2.4 2.4",
    "M15.5 8.5h.01",
  ],
  camera: [
    "M3.5 9A2.5 2.5 0 0 1 6 6.5h1.4a1 1 0 0 0 .83-.45l.94-1.4A1.5 1.5 0 0 1 10.4 4h3.2a1.5 1.5 0 0 1 1.25.65l.93 1.4a1 1 0 0 0 .83.45H18A2.5 2.5 0 0 1 20.5 9v8a2.5 2.5 0 0 1-2.5 2.5H6A2.5 2.5 0 0 1 3.5 17z",
    "M12 9.2a3.6 3.6 0 1 0 0 7.2 3.6 3.6 0 0 0 0-7.2z",
  ],
  search: ["M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z", "M15.3 15.3L20 20"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  share: ["M12 14.5V4", "M8.2 7.5L12 3.7l3.8 3.8", "M6 11.5v6A2.5 2.5 0 0 0 8.5 20h7a2.5 2.5 0 0 0 2.5-2.5v-6"],
  restart: ["M19 12a7 7 0 1 1-2.2-5.1", "M19.5 3.5v4h-4"],
  alert: ["M12 4.5l8.2 14.2H3.8z", "M12 10.5v3.5", "M12 16.5h.01"],
  noResults: ["M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13z", "M15.3 15.3L20 20", "M8.5 8.5l4 4", "M12.5 8.5l-4 4"],
  hanger: [
    "M12 8.5c0-1.2 1.8-1.5 1.8-3.1A1.9 1.9 0 0 0 10 5.4",
    "M12 8.5l8.3 6.3c1 .8.5 2.2-.8 2.2h-15c-1.3 0-1.8-1.4-.8-2.2z",
  ],
  light: [
    "M12 7.8a4.2 4.2 0 1 0 0 8.4 4.2 4.2 0 0 0 0-8.4z",
    "M12 3v1.5M12 19.5V21M3 12h1.5M19.5 12H21M5.6 5.6l1.1 1.1M17.3 17.3l1.1 1.1M5.6 18.4l1.1-1.1M17.3 6.7l1.1-1.1",
  ],
  dark: ["M19.5 14.3A8 8 0 0 1 9.7 4.5a8 8 0 1 0 9.8 9.8z"],
  link: [
    "M10 14a3.8 3.8 0 0 0 5.4 0l3-3A3.8 3.8 0 0 0 13 5.6l-1 1",
    "M14 10a3.8 3.8 0 0 0-5.4 0l-3 3A3.8 3.8 0 0 0 11 18.4l1-1",
  ],
  filter: [
    "M4 7h10M18 7h2M4 17h2M10 17h10",
    "M16 5a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
    "M8 15a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  ],
  missing: ["M4 4l16 16", "M6.5 4h11A2.5 2.5 0 0 1 20 6.5v11", "M17.5 20h-11A2.5 2.5 0 0 1 4 17.5v-11"],
};

/** @typedef {keyof typeof PATHS} IconName */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Return an icon. It is decorative: hidden from screen readers.
 * @param {IconName} name @param {number} [size] in pixels @returns {SVGElement}
 */
export function icon(name, size = 20) {
  const svg = document.createElementNS(SVG, "svg");
  const attributes = {
    viewBox: "0 0 24 24",
    width: size,
    height: size,
    fill: "none",
    stroke: "currentColor",
    "stroke-width": 1.6,
    "stroke-linecap": "round",
    "stroke-linejoin": "round",
    "aria-hidden": "true",
    focusable: "false",
  };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, String(value));
  for (const d of PATHS[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}
