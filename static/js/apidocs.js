// Swagger UI over this site's schema. A classic script, as the program it starts is one.
const container = document.getElementById("swagger-ui");

/** The token that the admin site's session needs beside its cookie; without that session there is none. */
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
  validatorUrl: null, // which would send the schema's address to another host
  requestInterceptor(request) {
    const isOwn = new URL(request.url, document.baseURI).origin === location.origin;
    if (isOwn && !["GET", "HEAD", undefined].includes(request.method) && csrfToken()) {
      request.headers["X-CSRFToken"] = csrfToken();
    }
    return request;
  },
});
