// ReDoc with this site's schema. A classic script, because ReDoc is one.
const container = document.getElementById("redoc");

// ReDoc loads its makers' logo from their server and has no option against it; this page must ask no other host.
function isOwn(address) {
  const { origin, protocol } = new URL(address, document.baseURI);
  return origin === location.origin || protocol === "data:";
}
const image = HTMLImageElement.prototype;
const source = Object.getOwnPropertyDescriptor(image, "src");
Object.defineProperty(image, "src", {
  ...source,
  set(address) {
    if (isOwn(address)) source.set.call(this, address);
  },
});
image.setAttribute = function setAttribute(name, value) {
  if (name !== "src" || isOwn(value)) Element.prototype.setAttribute.call(this, name, value);
};

const fontFamily = 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';
const options = {
  theme: { typography: { fontFamily, headings: { fontFamily } } },
};
Redoc.init(container.dataset.schema, options, container);
