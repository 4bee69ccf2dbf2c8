import { SignalboxError } from '@signalbox/client';

/** @import { Line } from '../contract.ts' */
/** @typedef {{ room: string, text: string, key: string }} Saying */

const PAUSE_MS = 1_000;

/**
 * What was said here and is not there yet, one after the other. Each has a key, so it may be sent until the server says
 * that it has it: it knows again what it had already.
 *
 * @param {object} parts
 * @param {HTMLElement} parts.list
 * @param {(saying: Saying) => Promise<Line>} parts.send
 * @param {(room: string, line: Line) => void} parts.onSent
 */
export function createOutbox({ list, send, onSent }) {
  /** @type {(Saying & { item: HTMLElement })[]} */
  const waiting = [];
  let isSending = false;
  let isStopped = false;

  /** @param {string} key */
  function remove(key) {
    const place = waiting.findIndex((one) => one.key === key);
    if (place >= 0) waiting.splice(place, 1)[0]?.item.remove();
  }

  async function flush() {
    if (isSending) return;
    isSending = true;
    for (let next = waiting[0]; next !== undefined && !isStopped; next = waiting[0]) {
      try {
        const line = await send(next);
        remove(next.key);
        onSent(next.room, line);
      } catch (error) {
        if (isLasting(error)) refused(next, error);
        else await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
    isSending = false;
  }

  /** @param {Saying & { item: HTMLElement }} saying @param {unknown} error */
  function refused(saying, error) {
    waiting.splice(waiting.indexOf(saying), 1);
    saying.item.className = 'refused';
    mark(saying.item, `Not said: ${error instanceof Error ? error.message : error}`);
  }

  return {
    /** @param {{ room: string, text: string }} said */
    add({ room, text }) {
      const item = document.createElement('li');
      const [words, note] = [document.createElement('p'), document.createElement('small')];
      words.textContent = text;
      note.textContent = 'Sending…';
      item.append(words, note);
      list.append(item);
      waiting.push({ room, text, key: keyOf(), item });
      void flush();
    },
    flush: () => void flush(),
    /** It has come back as a line: its answer need not be waited for. @param {string} key */
    arrived: remove,
    stop() {
      isStopped = true;
      for (const { item } of waiting) mark(item, 'Not said');
    },
  };
}

/** @param {HTMLElement} item @param {string} note */
function mark(item, note) {
  const place = item.querySelector('small');
  if (place !== null) place.textContent = note;
}

/** Whether sending it once more would not help: what was lost on its way, or not answered in time, may well be. */
const isLasting = (/** @type {unknown} */ error) =>
  !(error instanceof SignalboxError) || (error.retry === 'never' && error.code !== 'lost');

/** `crypto.randomUUID` is there over TLS and on localhost only; a phone on the same network has neither. */
const keyOf = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join(
    '',
  );
