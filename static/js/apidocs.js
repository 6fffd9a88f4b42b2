// Swagger UI with this site's schema. A classic script, because Swagger UI is one.
const container = document.getElementById("swagger-ui");

/** Returns the CSRF token that goes with the admin site's session; empty without such a session. */
function csrfToken() {
  const cookie = document.cookie.split("; ").find((one) => one.startsWith("csrftoken="));
  return cookie ? cookie.slice("csrftoken=".length) : "";
}

SwaggerUIBundle({
  url: container.dataset.schema,
  domNode: container,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: -1,
  displayRequestDuration: true,
  filter: true,
  validatorUrl: null, // the validator would send the schema's address to another host
  requestInterceptor(request) {
    const isOwn = new URL(request.url, document.baseURI).origin === location.origin;
    if (isOwn && !["GET", "HEAD", undefined].includes(request.method) && csrfToken()) {
      request.headers["X-CSRFToken"] = csrfToken();
    }
    return request;
  },
});
