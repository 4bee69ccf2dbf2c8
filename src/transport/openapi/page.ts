import { type Operation, textAnswer } from './operation.ts';

/** The first page, or one of its files. */
export function pageOperation(path: string, contentType: string): Operation {
  const mediaType = contentType.split(';', 1)[0] as string;
  const name = path === '/' ? 'page' : path.slice(1);
  return {
    id: `get_${name.replaceAll(/[^A-Za-z0-9]/g, '_')}`,
    tag: 'page',
    summary: path === '/' ? 'A page that says what this is.' : `A file of the page: ${name}.`,
    answers: { 200: textAnswer('The page, or its file.', mediaType) },
  };
}

export const documentOperation: Operation = {
  id: 'getDescription',
  tag: 'description',
  summary: 'This description.',
  answers: {
    200: {
      description: 'OpenAPI 3.1.',
      content: {
        'application/json': {
          type: 'object',
          properties: { openapi: { type: 'string', pattern: '^3\\.1\\.\\d+$' }, paths: { type: 'object' } },
          required: ['openapi', 'info', 'paths'],
        },
      },
    },
  },
};
