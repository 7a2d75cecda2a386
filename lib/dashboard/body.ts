import { headerOf, messageOf, type FrameworkRequest } from './request.js';

/** A name of a job, which may be a list of keys, and a reason. */
const LONGEST_BODY = 16 * 1024;

export type Body = { readonly value: unknown } | { readonly status: 400 | 413 | 415; readonly error: string };

const TOO_LONG: Body = { status: 413, error: `The body has more than ${LONGEST_BODY} bytes.` };

/** The body as JSON, whether the application has parsers or none. */
export async function bodyOf(request: FrameworkRequest): Promise<Body> {
  // Any other type could be sent by a form of another site.
  if (!/^application\/json(?:;|$)/i.test(headerOf(request, 'content-type') ?? '')) {
    return { status: 415, error: 'The body must be JSON, with the type application/json.' };
  }
  if (Number(headerOf(request, 'content-length') ?? 0) > LONGEST_BODY) return TOO_LONG;
  if (request.body !== undefined) return { value: request.body };
  let text = '';
  // The rest of one that is too long is left alone: the answer needs the connection.
  for await (const chunk of messageOf(request).setEncoding('utf8').iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.length > LONGEST_BODY) return TOO_LONG;
  }
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return { status: 400, error: 'The body is no JSON.' };
  }
}
