// Pictures of films: loaded when they come near the screen, and again when the connection is back.

import { ownPath } from "../site/api.js";
import { el } from "../site/dom.js";

// Not loading="lazy", which loads pictures up to three screens away. `scrollMargin` is for cards beside the screen.
const NEAR = { rootMargin: "100px 0px", scrollMargin: "0px 100px" };
const addresses = new WeakMap();
const nearby = new IntersectionObserver(loadNearby, NEAR);

function loadNearby(entries) {
  for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
    nearby.unobserve(target);
    load(target, addresses.get(target));
  }
}

/** The picture of a card. Where it cannot be loaded, the icon behind it shows. */
export function smallPicture(video) {
  const image = imageElement();
  addresses.set(image, ownPath(video.image_small));
  nearby.observe(image);
  return image;
}

/** The small picture; the large one on wide high-density screens, where the small one would look soft. */
export function widePicture(video) {
  const [small, large] = [video.image_small, video.image_file].map(ownPath);
  const image = imageElement();
  const forPhones = el("source", { media: "(max-width: 699px)", srcset: small });
  const picture = el("picture", {}, forPhones, image);
  image.srcset = `${small} 1x, ${large} 2x`;
  load(image, small);
  return picture;
}

const imageElement = () => el("img", { alt: "", decoding: "async" });

function load(image, address) {
  image.addEventListener("load", () => (image.hidden = false));
  image.addEventListener("error", () => {
    image.hidden = true;
    window.addEventListener("online", () => (image.src = address), { once: true });
  });
  image.src = address;
}
