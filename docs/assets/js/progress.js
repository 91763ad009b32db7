// What a reader has read, kept in this browser and nowhere else: { slug: day }.

const KEY = "recurrent.read"

const stored = () => {
  try {
    return valid(JSON.parse(localStorage.getItem(KEY))) ?? {}
  } catch {
    return {} // the browser keeps nothing, or keeps what is not ours
  }
}

const store = read => {
  try {
    localStorage.setItem(KEY, JSON.stringify(read))
  } catch {
    // It then lasts as long as the page.
  }
}

// The record of an export, or nothing if it is none.
const valid = read => {
  if (!read || typeof read !== "object" || Array.isArray(read)) return undefined
  const days = Object.values(read)
  return days.every(day => /^\d{4}-\d\d-\d\d$/.test(day)) ? read : undefined
}

let read = stored()
const boxes = [...document.querySelectorAll("input[data-read]")]

const show = (told = "") => {
  for (const box of boxes) box.checked = box.dataset.read in read
  for (const step of document.querySelectorAll("[data-step]")) {
    step.classList.toggle("read", step.dataset.step in read)
  }
  const bar = document.querySelector(".progress progress")
  if (!bar) return
  bar.value = boxes.filter(box => box.checked).length
  document.getElementById("progress-text").textContent =
    `${bar.value} of ${bar.max} read.${told && ` ${told}`}`
}

const keep = (next, told) => {
  read = next
  store(read)
  show(told)
}

for (const box of boxes) {
  box.closest(".done").hidden = false
  box.addEventListener("change", () => {
    const { [box.dataset.read]: _, ...others } = read
    const today = new Date().toISOString().slice(0, 10)
    keep(box.checked ? { ...others, [box.dataset.read]: today } : others)
  })
}

const acts = {
  export() {
    const link = document.createElement("a")
    link.href = URL.createObjectURL(new Blob([JSON.stringify(read, null, 1)], { type: "application/json" }))
    link.download = "recurrent-progress.json"
    link.click()
    URL.revokeObjectURL(link.href)
  },
  import() {
    document.querySelector(".progress input[type=file]").click()
  },
  reset() {
    const before = read
    keep({}, "Forgotten.")
    const undo = document.createElement("button")
    Object.assign(undo, { type: "button", textContent: "Undo", onclick: () => keep(before, "Back again.") })
    document.getElementById("progress-text").append(" ", undo)
  },
}

const panel = document.querySelector(".progress")
if (panel) {
  panel.hidden = false
  panel.addEventListener("click", event => acts[event.target.dataset.progress]?.())
  panel.querySelector("input[type=file]").addEventListener("change", async event => {
    const [file] = event.target.files
    event.target.value = "" // the same file may be chosen again
    try {
      const given = valid(JSON.parse(await file.text()))
      if (given) keep({ ...read, ...given }, "Imported.")
      else show(`${file.name} is not an export of this page: it should hold days by name.`)
    } catch {
      show(`${file.name} is not an export of this page: it is not JSON.`)
    }
  })
}
show()

// Another tab may have changed it.
window.addEventListener("storage", event => {
  if (event.key !== KEY) return
  read = stored()
  show()
})
