// Reads whole numbers of YAML by the rules of Compose, which are in part those of YAML 1.1.

import type { ScalarTag } from 'yaml';

/** `0755` is octal, `0b11` binary, `1_000` a thousand. One that a number of ours cannot hold is given as its text. */
export const yamlInteger: ScalarTag = {
  tag: 'tag:yaml.org,2002:int',
  default: true,
  test: /^[-+]?(?:[0-9][0-9_]*|0x_*[0-9a-f][0-9a-f_]*|0o_*[0-7][0-7_]*|0b_*[01][01_]*)$/i,
  resolve: (text) => {
    const size = text.replaceAll(/[-+_]/g, '').toLowerCase();
    const found = BigInt(/^0[0-7]+$/.test(size) ? `0o${size}` : size);
    const value = text.startsWith('-') ? -found : found;
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : String(value);
  },
};
