// What Material leaves out for those who use a keyboard or a screen reader.

// A formula or a table that scrolls sideways must be in reach of the keyboard, and only then.
const reach = new ResizeObserver(boxes => {
  for (const { target } of boxes) {
    if (target.scrollWidth > target.clientWidth) target.setAttribute("tabindex", "0")
    else target.removeAttribute("tabindex")
  }
})
document.querySelectorAll('math[display="block"]').forEach(box => reach.observe(box))

// Material puts a table into the box that scrolls when this file has run.
const tables = new ResizeObserver(entries => {
  for (const { target } of entries) {
    const box = target.closest(".md-typeset__scrollwrap")
    if (box) reach.observe(box)
  }
})
document.querySelectorAll(".md-typeset table").forEach(table => tables.observe(table))

// Material takes a block of code out of the keyboard's reach if it does not scroll sideways. A long
// output scrolls down; the build has put it in reach, and there it stays.
document.querySelectorAll(".output.long pre > code").forEach(box => {
  const stay = () => box.hasAttribute("tabindex") || box.setAttribute("tabindex", "0")
  new MutationObserver(stay).observe(box, { attributeFilter: ["tabindex"] })
  stay()
})

// The button of theme/overrides/main.html, in the place of a label that a keyboard cannot press.
document.querySelector("button.menu").addEventListener("click", () => {
  document.getElementById("__drawer").click()
})

// A tooltip may cover what is to be read: Escape puts it away and leaves the focus where it is.
document.addEventListener("keydown", event => {
  if (event.key !== "Escape") return
  document.querySelectorAll(".md-tooltip2--active").forEach(tip => {
    tip.classList.remove("md-tooltip2--active")
  })
})

// Search lists a page first and its headings after it. Where the page itself was no hit, its line
// leads to the first of those headings, not to the top.
const results = document.querySelector(".md-search-result__list")
const aim = () => {
  for (const item of results.querySelectorAll(".md-search-result__item")) {
    const [page, heading] = item.querySelectorAll("a.md-search-result__link")
    if (heading && !page.querySelector("mark")) page.href = heading.href
  }
}
new MutationObserver(aim).observe(results, { childList: true })
