// Another process of the shop, with no server in it: ships an order, and whoever has its page open sees it.
//
//   REDIS_URL=redis://127.0.0.1 node examples/express/ship.js <number of the order>
import { createPublisher } from 'signalbox';
import { shipOrder } from './orders.js';

// Throws where there is no Redis to be heard by: before anything is done.
const publisher = createPublisher();
const order = shipOrder(Number(process.argv[2]));
if (order === undefined) {
  console.error('There is no such order.');
  process.exitCode = 1;
} else {
  await publisher.publish(`orders:${order.user}`, 'order', order);
  console.log(`Order ${order.number} of ${order.user} is on its way.`);
}
await publisher.close();
