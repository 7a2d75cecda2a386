import { generateKeyPairSync, randomBytes, sign, X509Certificate, type KeyObject } from 'node:crypto';

/** A certificate with its key, both as PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** An authority of our own, which nobody trusts who was not told to. */
export interface Authority extends Certificate {
  /** A certificate for a server at 127.0.0.1 and localhost. */
  issue(): Certificate;
}

/**
 * Node signs, but makes no certificates, so this writes one down: nothing has to be installed for a test of TLS.
 * Source: RFC 5280, section 4.1 (the fields) and ITU-T X.690, section 8 (how they are written).
 */
export function createAuthority(name: string): Authority {
  const own = pair();
  return {
    cert: certificate(name, name, own.publicKey, own.privateKey, [extension(CONSTRAINTS, der(0x30, der(0x01, TRUE)))]),
    key: pem(own.privateKey),
    issue: () => {
      const { publicKey, privateKey } = pair();
      const names = der(0x30, der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])));
      return {
        cert: certificate('a server of a test', name, publicKey, own.privateKey, [extension(ALT_NAMES, names)]),
        key: pem(privateKey),
      };
    },
  };
}

const TRUE = Buffer.from([0xff]);
/** The second half of object identifiers: 2.5.29.19, 2.5.29.17, 2.5.4.3, and 1.2.840.10045.4.3.2 (ECDSA with SHA-256). */
const CONSTRAINTS = '551d13';
const ALT_NAMES = '551d11';
const COMMON_NAME = '550403';
const ECDSA_SHA256 = '2a8648ce3d040302';
const DAY_MS = 24 * 60 * 60 * 1000;

const pair = (): { publicKey: KeyObject; privateKey: KeyObject } => generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString();

function certificate(
  subject: string,
  issuer: string,
  publicKey: KeyObject,
  issuerKey: KeyObject,
  extensions: readonly Buffer[],
): string {
  const algorithm = der(0x30, oid(ECDSA_SHA256));
  const content = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    nameOf(issuer),
    der(0x30, time(Date.now() - DAY_MS), time(Date.now() + DAY_MS)),
    nameOf(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, ...extensions)),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', content, issuerKey));
  return new X509Certificate(der(0x30, content, algorithm, signature)).toString();
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head = length < 0x80 ? [tag, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, 'hex'));
}

function nameOf(text: string): Buffer {
  return der(0x30, der(0x31, der(0x30, oid(COMMON_NAME), der(0x0c, Buffer.from(text)))));
}

function time(atMs: number): Buffer {
  return der(0x17, Buffer.from(`${new Date(atMs).toISOString().replace(/\D/g, '').slice(2, 14)}Z`));
}

function extension(id: string, value: Buffer): Buffer {
  return der(0x30, oid(id), der(0x04, value));
}
