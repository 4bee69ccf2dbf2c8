/** The illuminated panel: which signal is lit, which route is set, and the trains on it. */

/** A replay takes milliseconds; each state is shown for at least this long, so that an eye can follow. */
const SHOWN_AT_LEAST_MS = 500;
const JOURNEY_MS = 1200;
/** Trains leave in the order of the events and at this distance at least, however fast those really came. */
const HEADWAY_MS = 65;
const TRAINS_AT_MOST = 40;

const ROUTES = {
  live: 'M61 104H659',
  replayed: 'M61 104H180L228 158H412L460 104H659',
};

const SENTENCES = {
  connecting: ['Connecting', 'Asking for the line.'],
  replaying: ['Replaying', 'Getting what was published while the line was down.'],
  live: ['Live', 'Events arrive as they are published.'],
  stale: ['Stale', 'Nothing comes through.'],
};

const SVG = 'http://www.w3.org/2000/svg';
const stillness = matchMedia('(prefers-reduced-motion: reduce)');

export function createPanel() {
  const trains = document.getElementById('trains');
  const readout = document.getElementById('readout');
  const aspects = document.querySelectorAll('[data-aspect]');
  const waiting = [];
  let shownUntil = 0;
  let timer;
  let lastDeparture = 0;

  function show(state, why) {
    shownUntil = performance.now() + SHOWN_AT_LEAST_MS;
    document.body.dataset.shown = state;
    for (const aspect of aspects) {
      if (aspect.dataset.aspect === state) aspect.setAttribute('aria-current', 'step');
      else aspect.removeAttribute('aria-current');
    }
    const [name, sentence] = SENTENCES[state];
    const word = document.createElement('b');
    word.textContent = name;
    const rest = document.createElement('span');
    rest.textContent = why || sentence;
    readout.replaceChildren(word, ' ', rest);
    if (state === 'stale') trains.replaceChildren();
  }

  function showNext() {
    timer = undefined;
    const next = waiting.shift();
    if (next === undefined) return;
    show(...next);
    if (waiting.length > 0) timer = setTimeout(showNext, SHOWN_AT_LEAST_MS);
  }

  return {
    state(state, why) {
      waiting.push([state, why]);
      if (timer === undefined) timer = setTimeout(showNext, Math.max(0, shownUntil - performance.now()));
    },

    /** Sends one train over the panel. Decoration: it says nothing that the list does not. */
    train(label, replayed) {
      if (stillness.matches || document.hidden || trains.childElementCount >= TRAINS_AT_MOST) return;
      const route = replayed ? 'replayed' : 'live';
      const train = trainOf(label, route);
      trains.append(train);
      const now = performance.now();
      lastDeparture = Math.max(now, lastDeparture + HEADWAY_MS);
      const journey = train.animate([{ offsetDistance: '0%' }, { offsetDistance: '100%' }], {
        duration: JOURNEY_MS,
        delay: lastDeparture - now,
        fill: 'backwards',
      });
      journey.addEventListener('finish', () => train.remove());
    },
  };
}

function trainOf(label, route) {
  const train = document.createElementNS(SVG, 'g');
  train.setAttribute('class', `train ${route}`);
  const body = document.createElementNS(SVG, 'rect');
  const width = 11 + 8 * label.length;
  for (const [name, value] of Object.entries({ x: -width / 2, y: -10, width, height: 20, rx: 5 })) {
    body.setAttribute(name, String(value));
  }
  const text = document.createElementNS(SVG, 'text');
  text.setAttribute('y', '4.5');
  text.textContent = label;
  train.append(body, text);
  train.style.offsetPath = `path("${ROUTES[route]}")`;
  return train;
}
