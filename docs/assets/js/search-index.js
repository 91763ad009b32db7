// The index of the search is two thirds of what a first visit would load, and most visits search
// for nothing. Material asks for it on every page; here its request waits for the search field.

const field = document.querySelector("[data-md-component=search-query]")
const { open, send } = XMLHttpRequest.prototype

XMLHttpRequest.prototype.open = function (method, url, ...others) {
  this.isIndex = String(url).endsWith("/search/search_index.json")
  return open.call(this, method, url, ...others)
}

XMLHttpRequest.prototype.send = function (...body) {
  if (!this.isIndex || document.activeElement === field) return send.apply(this, body)
  field.addEventListener("focus", () => send.apply(this, body), { once: true })
}
