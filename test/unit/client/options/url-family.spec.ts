import { describe, expect, it } from '@jest/globals';
import { toShards } from '../../../../lib/client/options/servers.js';

describe('P16: bad input is refused early', () => {
  it.each(['redis://localhost?family=5', 'redis://localhost?db=1&family=46'])(
    'a family that Node does not know: %s',
    (url) => {
      expect(() => toShards(url, undefined)).toThrow(expect.objectContaining({ code: 'INVALID_OPTIONS' }));
    },
  );
});
