// Search from a folder without a server. A browser starts no worker there, so a hidden frame takes
// its place: it runs the worker's script, and both sides exchange messages as with a worker.
// Nothing is written into the frame: the pages' policy allows no script but the site's files.

class FrameWorker extends EventTarget {
  constructor(url) {
    super()
    this.frame = document.createElement("iframe")
    this.frame.hidden = true
    document.body.append(this.frame)
    const inside = this.frame.contentWindow
    inside.postMessage = data => this.receive(data)
    inside.importScripts = (...urls) => Promise.all(urls.map(each => this.load(each)))
    this.ready = this.load(url)
  }

  load(url) {
    return new Promise((resolve, reject) => {
      const script = this.frame.contentDocument.createElement("script")
      Object.assign(script, { src: url, async: false, onload: resolve, onerror: reject })
      this.frame.contentDocument.body.append(script)
    })
  }

  receive(data) {
    const event = new MessageEvent("message", { data })
    this.dispatchEvent(event)
    this.onmessage?.(event)
  }

  postMessage(data) {
    this.ready.then(() => {
      this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data: structuredClone(data) }))
    })
  }

  terminate() {
    this.frame.remove()
  }
}

if (location.protocol === "file:") window.Worker = FrameWorker
