import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** In the place of your database: a file that every process of the shop reads and writes. */
const { ORDERS_FILE = fileURLToPath(new URL('./orders.json', import.meta.url)) } = process.env;

/** @typedef {{ number: number, user: string, item: string, state: 'placed' | 'shipped' }} Order */

/** @returns {Order[]} */
function read() {
  try {
    return JSON.parse(readFileSync(ORDERS_FILE, 'utf8'));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

/** @param {Order[]} orders */
function write(orders) {
  // A reader sees the old file or the new one, never half of one.
  const next = `${ORDERS_FILE}.${process.pid}`;
  writeFileSync(next, JSON.stringify(orders, null, 2));
  renameSync(next, ORDERS_FILE);
}

/** @param {string} user */
export const ordersOf = (user) => read().filter((order) => order.user === user);

/** @param {string} user @param {string} item @returns {Order} */
export function placeOrder(user, item) {
  const orders = read();
  /** @type {Order} */
  const order = { number: orders.length + 1, user, item, state: 'placed' };
  write([...orders, order]);
  return order;
}

/** @param {number} number @returns {Order | undefined} */
export function shipOrder(number) {
  const orders = read();
  const order = orders.find((one) => one.number === number);
  if (order === undefined) return undefined;
  order.state = 'shipped';
  write(orders);
  return order;
}
