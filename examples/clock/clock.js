// Publishes the time to the Redis channel `clock`, once a second, as `redis-cli publish clock "$(date)"` would.
import { Redis } from 'ioredis';

const redis = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379');
const channel = process.env.CHANNEL ?? 'clock';
setInterval(() => void redis.publish(channel, new Date().toUTCString()), 1_000);
