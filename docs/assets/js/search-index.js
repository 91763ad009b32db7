// The index of the search is two thirds of what a first visit would load, and most visits search
// for nothing. Material asks for it on every page; here its request waits for the search field. Who
// comes from a result sees what was searched for marked on the page, which takes the index too.

const field = document.querySelector("[data-md-component=search-query]")
const comesFromResult = new URLSearchParams(location.search).has("h")
const { open, send } = XMLHttpRequest.prototype

XMLHttpRequest.prototype.open = function (method, url, ...others) {
  this.isIndex = String(url).endsWith("/search/search_index.json")
  return open.call(this, method, url, ...others)
}

XMLHttpRequest.prototype.send = function (...body) {
  const now = !this.isIndex || comesFromResult || document.activeElement === field
  if (now) return send.apply(this, body)
  field.addEventListener("focus", () => send.apply(this, body), { once: true })
}
