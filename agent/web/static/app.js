'use strict'
// What pages do by themselves: a study's stream of events, keys, a picture that is dropped.

const csrf = document.querySelector('meta[name=csrf]').content

// A study

const study = document.querySelector('main[data-place]')
let stream = null
let place = study ? study.dataset.place : ''

function parse(html) {
  const box = document.createElement('template')
  box.innerHTML = html
  return box.content
}

/** Marks what was born, or has changed its fate, since the page last showed it. */
function markFresh(was, is) {
  const fates = new Map([...was.querySelectorAll('[data-fate]')].map(e => [e.id, e.dataset.fate]))
  for (const e of is.querySelectorAll('[data-fate]')) {
    if (fates.get(e.id) !== e.dataset.fate) e.classList.add('fresh')
  }
}

/** Makes an element like another where they differ: a button that is being pressed stays. */
function mend(was, is) {
  if (was.isEqualNode(is)) return
  const [had, has] = [[...was.childNodes], [...is.childNodes]]
  if (was.nodeType !== Node.ELEMENT_NODE || was.nodeName !== is.nodeName
    || had.length !== has.length || is.classList.contains('fresh')) return was.replaceWith(is)
  for (const name of was.getAttributeNames()) if (!is.hasAttribute(name)) was.removeAttribute(name)
  for (const name of is.getAttributeNames()) was.setAttribute(name, is.getAttribute(name))
  had.forEach((child, i) => mend(child, has[i]))
}

/** Puts a piece where its id is; where there is none yet, at the end of another. */
function put({ id, into, html }) {
  const there = document.getElementById(id)
  let element = parse(html).firstElementChild
  if (!element) return
  if (there) {
    if (there.contains(document.activeElement) && document.activeElement.matches('input')) return
    markFresh(there, element)
    const scrolled = there.scrollTop
    const folds = [...there.querySelectorAll('details')].map(d => d.open)
    mend(there, element)
    element = document.getElementById(id)
    element.scrollTop = scrolled
    element.querySelectorAll('details').forEach((d, i) => { d.open = folds[i] || false })
  } else {
    const parent = document.getElementById(into)
    if (!parent) return
    element.classList.add('fresh')
    parent.append(element)
  }
  window.htmx.process(element)
  if (/^[es]\d/.test(id)) quiet()
}

const now = document.getElementById('now')

function quiet() {
  now.hidden = true
  now.querySelector('.thinking').textContent = ''
  now.querySelector('.doing').hidden = true
}

function think(text, anew) {
  const words = now.querySelector('.thinking')
  words.textContent = anew ? text : words.textContent + text
  now.querySelector('.doing').hidden = now.querySelector('.doing').hidden || now.hidden
  now.hidden = !words.textContent
  words.scrollTop = words.scrollHeight
}

function progress({ done, total, what }) {
  const line = now.querySelector('.doing')
  line.hidden = now.hidden = done >= total
  line.querySelector('.meter span').style.width = `${100 * done / Math.max(1, total)}%`
  line.querySelector('.what').textContent = `${what}, ${done} of ${total}`
}

function follow() {
  if (stream || !place || document.hidden) return
  const lost = document.getElementById('lost')
  stream = new EventSource(`/studies/${study.dataset.study}/events?after=${encodeURIComponent(place)}`)
  const on = (name, what) => stream.addEventListener(name, e => {
    if (e.lastEventId) place = e.lastEventId
    what(JSON.parse(e.data))
  })
  on('put', put)
  on('token', ({ text }) => think(text, false))
  on('thinking', ({ text }) => think(text, true))
  on('retry', ({ error, why }) => think(`${error || why || 'asked again'}\n`, true))
  on('progress', progress)
  on('over', () => { leave(); place = ''; quiet() })
  stream.onopen = () => { lost.hidden = true; document.body.dataset.following = 'yes' }
  stream.onerror = () => {
    lost.hidden = false
    if (stream && stream.readyState === EventSource.CLOSED) { leave(); setTimeout(follow, 2000) }
  }
}

function leave() {
  if (stream) stream.close()
  stream = null
  delete document.body.dataset.following
}

if (study) {
  // A browser keeps six connections to a server: tabs that nobody sees give theirs back.
  document.addEventListener('visibilitychange', () => document.hidden ? leave() : follow())
  window.addEventListener('pagehide', leave)
  window.addEventListener('pageshow', follow)
  follow()
}

// Why

const drawer = document.getElementById('why')
let asker = null

function shut() {
  drawer.hidden = true
  drawer.replaceChildren()
  if (asker && asker.isConnected) asker.focus()
}

if (drawer) {
  document.body.addEventListener('htmx:beforeRequest', e => {
    if (e.detail.target === drawer) asker = e.detail.elt
  })
  document.body.addEventListener('htmx:afterSwap', e => {
    if (e.detail.target !== drawer) return
    const close = document.createElement('button')
    close.className = 'close'
    close.textContent = 'Close'
    close.addEventListener('click', shut)
    drawer.prepend(close)
    drawer.hidden = false
    drawer.scrollTop = 0
    drawer.querySelector('h2').focus()
  })
}

// On a small screen the answer covers what it cites.
if (drawer) {
  drawer.addEventListener('click', e => {
    if (e.target.closest('.cite') && window.innerWidth < 700) shut()
  })
}

// On a page about a study, citations lead to the study itself.
for (const page of document.querySelectorAll('[data-cites]')) {
  for (const a of page.querySelectorAll('a[href^="#e"]')) {
    a.setAttribute('href', page.dataset.cites + a.getAttribute('href'))
  }
}

// Asking: Enter asks, Shift+Enter begins a new line; a form is sent once.

document.addEventListener('keydown', e => {
  if (e.key === 'Enter' && !e.shiftKey && !e.isComposing && e.target.matches('textarea[data-ask]')) {
    e.preventDefault()
    e.target.form.requestSubmit()
  }
})
document.addEventListener('submit', e => {
  if (e.target.matches('.ask')) e.target.querySelectorAll('.go').forEach(b => { b.disabled = true })
})
window.addEventListener('pageshow', () =>
  document.querySelectorAll('.go').forEach(b => { b.disabled = false }))

// Keys

function step(by) {
  const all = [...document.querySelectorAll('.experiment')]
  if (!all.length) return
  const at = all.findIndex(e => e.getBoundingClientRect().top > 40)
  const here = at < 0 ? all.length : at
  const next = by > 0 && all[here] && all[here].getBoundingClientRect().top < 60 ? here + 1
    : by > 0 ? here : here - (all[here - 1] && all[here - 1].getBoundingClientRect().top > -20 ? 2 : 1)
  go(all[Math.min(all.length - 1, Math.max(0, next))])
}

function go(element) {
  if (!element) return
  element.scrollIntoView({ block: 'start' })
  const link = element.querySelector('.number')
  if (link) link.focus({ preventScroll: true })
}

document.addEventListener('keydown', e => {
  if (e.key === 'Escape' && drawer && !drawer.hidden) return shut()
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest('input, textarea, select, dialog')) return
  const box = document.querySelector('[data-ask]')
  if (e.key === '/' && box) { e.preventDefault(); box.focus(); box.scrollIntoView({ block: 'center' }) }
  else if (e.key === '?') document.getElementById('keys').showModal()
  else if (e.key === 'j') step(1)
  else if (e.key === 'k') step(-1)
  else if (e.key === 'g') go(document.getElementById('answer'))
  else if (e.key === 'G') go([...document.querySelectorAll('.experiment')].pop())
})

// Trying a picture

async function tryPicture(label, file) {
  const out = document.getElementById('tried')
  out.textContent = 'Measuring…'
  const address = `${label.dataset.try}&file=${encodeURIComponent(file.name)}`
  const answer = await fetch(address, {
    method: 'POST', body: file, headers: { 'X-CSRF': csrf, 'Content-Type': file.type || 'image/png' }
  })
  const page = parse(await answer.text())
  out.replaceChildren(answer.ok ? page : (page.querySelector('h1') || 'It could not be measured.'))
}

for (const label of document.querySelectorAll('[data-try]')) {
  const input = label.querySelector('input')
  input.addEventListener('change', () => input.files[0] && tryPicture(label, input.files[0]))
  label.addEventListener('dragover', e => { e.preventDefault(); label.classList.add('over') })
  label.addEventListener('dragleave', () => label.classList.remove('over'))
  label.addEventListener('drop', e => {
    e.preventDefault()
    label.classList.remove('over')
    if (e.dataTransfer.files[0]) tryPicture(label, e.dataTransfer.files[0])
  })
}
