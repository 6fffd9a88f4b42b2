// Pictures of films: fetched when they come near the screen, and once more when the connection is back.

import { ownPath } from "./api.js";
import { el } from "./dom.js";

// The browser's own laziness fetches what is three screens away. `scrollMargin` is for what a row has beside the screen.
const NEAR = { rootMargin: "100px 0px", scrollMargin: "0px 100px" };
const addresses = new WeakMap();
const nearby = new IntersectionObserver(fetchThose, NEAR);

function fetchThose(entries) {
  for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
    nearby.unobserve(target);
    load(target, addresses.get(target));
  }
}

/** As cards show it; a picture that does not come leaves what lies behind it to be seen. */
export function smallPicture(video) {
  const image = imageElement();
  addresses.set(image, ownPath(video.image_small));
  nearby.observe(image);
  return image;
}

/** Large on screens with several pixels to one, where the small one would look soft; phones are narrow. */
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
