// YAML for those who load it only when they need it.

export { parse, stringify } from 'yaml';
