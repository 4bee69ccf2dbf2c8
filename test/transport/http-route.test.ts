import { describe, expect, test } from '@jest/globals';
import fastify from 'fastify';
import { gatherRoutes, route } from '../../src/transport/http-route.ts';
import { healthOperation } from '../../src/transport/openapi/probes.ts';

describe('the routes of an HTTP surface', () => {
  test('are gathered by their path, HEAD with GET, those of inner scopes too', async () => {
    const app = fastify();
    const routes = gatherRoutes(app);
    app.get('/a', route('open', healthOperation), () => 'a');
    await app.register(async (scope) => {
      scope.post('/a', route('bearer', healthOperation), () => 'a');
    });
    await app.ready();
    expect([...routes.keys()]).toEqual(['/a']);
    expect(routes.get('/a')?.map(({ method, facts }) => `${method} ${facts.access}`)).toEqual([
      'GET open',
      'HEAD open',
      'POST bearer',
    ]);
    await app.close();
  });

  test('each say what they are: one that does not is refused when it is added', async () => {
    const app = fastify();
    gatherRoutes(app);
    expect(() => app.get('/a', () => 'a')).toThrow('GET /a does not say what it is');
    await app.close();
  });
});
