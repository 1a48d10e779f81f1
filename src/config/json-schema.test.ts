import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configJsonSchema, type SettingSchema, settingAt } from './json-schema.ts';

const schema = configJsonSchema();

test('settings are found by their path, through references and alternatives', () => {
  assert.equal(settingAt(schema, ['health', 'interval'])?.default, '1s');
  assert.deepEqual(settingAt(schema, ['strategy', 'canary', 'stages'])?.default, ['1%', '10%', '50%', '100%']);
  assert.equal(settingAt(schema, ['router', 'embedded', 'limits', 'header'])?.default, '16KiB');
  assert.equal(settingAt(schema, ['health', 'nothing']), undefined);
});

test('every setting is described in a sentence', () => {
  const undescribed = [schema, ...Object.values(schema.$defs ?? {})].flatMap(settingsWithout);
  assert.deepEqual(undescribed, []);
});

function settingsWithout(map: SettingSchema): readonly string[] {
  return Object.entries(map.properties ?? map.anyOf?.find((one) => one.properties)?.properties ?? {})
    .filter(([, setting]) => setting.description === undefined && definition(setting)?.description === undefined)
    .map(([name]) => name);
}

function definition(setting: SettingSchema): SettingSchema | undefined {
  return schema.$defs?.[setting.$ref?.replace('#/$defs/', '') ?? ''];
}

test('unknown settings are errors for an editor too', () => {
  const open = Object.entries(schema.$defs ?? {}).filter(
    ([, map]) => map.properties !== undefined && map.additionalProperties !== false,
  );
  assert.deepEqual(open, []);
  assert.equal(schema.additionalProperties, false);
});
