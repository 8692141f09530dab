// What our reader makes of AWS's config and credentials files, beside what AWS's JavaScript client
// makes of them, over generated files and over what the two are known to differ in. There AWS's CLI
// is followed, which reads them with Python's configparser.
//
// PROFILES_SEED repeats a run, PROFILES_FILES is how many files there are.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSharedConfigFiles } from '@smithy/shared-ini-file-loader';

const seed = Number(process.env.PROFILES_SEED ?? Date.now() % 1000000);
const files = Number(process.env.PROFILES_FILES ?? 300);
const folder = mkdtempSync(join(tmpdir(), 'iotdata-profiles-'));
process.on('exit', () => rmSync(folder, { recursive: true }));

// ------ the two readers ------

// As the JavaScript client has it: profiles by name, other sections as "services.NAME", nested
// properties as "PROPERTY.NAME"; nothing that is empty.
function flatten(tree) {
  const flat = {};
  for (const [kind, sections] of Object.entries(tree)) {
    for (const [name, properties] of Object.entries(sections)) {
      const section = {};
      for (const [property, value] of Object.entries(properties)) {
        const nested = typeof value === 'string' ? { '': value } : value;
        for (const [key, text] of Object.entries(nested)) {
          if (text !== '') section[key === '' ? property : `${property}.${key}`] = text;
        }
      }
      if (Object.keys(section).length > 0) flat[kind === 'profile' ? name : `${kind}.${name}`] = section;
    }
  }
  return flat;
}

function ours(kind, text) {
  const tree = JSON.parse(execFileSync(process.env.IOTDATA_PROFILE_TREE, [kind], { input: text }));
  return 'error' in tree ? tree : flatten(tree);
}

let number = 0;
async function theirs(kind, text) {
  const path = join(folder, String(++number));
  writeFileSync(path, text);
  const paths = kind === 'config' ? { configFilepath: path, filepath: '/dev/null' } : { configFilepath: '/dev/null', filepath: path };
  const found = await loadSharedConfigFiles({ ...paths, ignoreCache: true });
  const { configFile, credentialsFile } = found;
  return JSON.parse(JSON.stringify(kind === 'config' ? configFile : credentialsFile));
}

// ------ generated files ------

// mulberry32
function generator(state) {
  return (limit) => {
    state = (state + 0x6D2B79F5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}

function makeFile(random, kind) {
  const pick = (list) => list[random(list.length)];
  const blank = () => pick(['', '', ' ', '  ', '\t']);
  const word = () => Array.from({ length: 1 + random(6) }, () => pick([...'abcxyz019_-'])).join('');
  const value = () => pick([word(), `${word()} ${word()}`, `${word()}=${word()}`, `https://${word()}.example:1/a?b=c`,
    `${word()}#${word()}`, `${word()};${word()}`, `"${word()}"`, 'é€😀', `[${word()}]`, 'AKIA+/=']);
  const lines = [];
  const noise = (indent = '') => {
    while (random(4) === 0) lines.push(pick(['', '', blank(), `${indent}# ${value()}`, `${indent};${value()}`]));
  };
  const property = (names) => {
    let name;
    do name = word(); while (names.has(name));
    names.add(name);
    return name;
  };
  const sections = new Set();
  noise();
  for (let i = random(6); i >= 0; i--) {
    const name = pick([word(), `${word()}.${word()}`, `${word()}@${word()}`]);
    const header = kind === 'credentials' ? pick(['default', name])
      : pick(['default', `profile ${name}`, `profile "${name}"`, `profile '${name}'`, `services ${name}`, `sso-session ${name}`]);
    if (sections.has(header.replace(/["']/g, ''))) continue;
    sections.add(header.replace(/["']/g, ''));
    lines.push(`[${header}]${blank()}`);
    noise();
    const names = new Set();
    for (let j = random(5); j > 0; j--) {
      const name = property(names);
      if (random(4) > 0) lines.push(`${name}${blank()}=${blank()}${value()}${blank()}`);
      else {
        const nested = new Set();
        lines.push(`${name}${blank()}=${blank()}`);
        for (let k = random(4); k > 0; k--) {
          noise('  ');
          lines.push(`${pick(['  ', '\t', '    '])}${property(nested)}${blank()}=${blank()}${value()}`);
        }
      }
      noise();
    }
  }
  const end = pick(['\n', '\n', '\r\n']);
  return pick(['', '', '\ufeff']) + lines.join(end) + pick(['', end]);
}

// ------ where they differ ------

// [what, text, what the JavaScript client has of the profile default, ours: a line's error is its number]
const differences = [
  ['a comment behind a value', '[default]\nk = v # c\n', { k: 'v' }, { k: 'v # c' }],
  ['a value that goes on', '[default]\nk = v\n  w\n', { k: 'v' }, { k: 'v\nw' }],
  ['a name with a colon behind it', '[default]\nk: v\n', undefined, { k: 'v' }],
  ['a name in upper case', '[default]\nK = v\n', { K: 'v' }, { k: 'v' }],
  ['a property that is there twice', '[default]\nk = 1\nk = 2\n', { k: '2' }, 3],
  ['a section that is there twice', '[default]\nk = 1\n[default]\nl = 2\n', { k: '1', l: '2' }, 3],
  ['a line that is nothing', '[default]\nnothing\nk = v\n', { k: 'v' }, 2],
  ['a line before the first section', 'k = v\n[default]\nl = v\n', { l: 'v' }, 1],
  ['a nested line that is nothing', '[default]\nk =\n  nothing\n', undefined, 3],
  ['a profile named twice', '[profile default]\nk = 1\n[default]\nl = 2\n', { k: '1' }, { l: '2' }],
  ['properties for all sections', '[DEFAULT]\nk = v\n[default]\nl = w\n', { l: 'w' }, { k: 'v', l: 'w' }],
  ['something behind a section', '[default] x\nk = v\n', undefined, { k: 'v' }],
];

// ------ tests ------

export default [
  {
    name: `profiles are read as AWS's JavaScript client reads them, in ${files} files (PROFILES_SEED=${seed})`,
    async run() {
      const random = generator(seed);
      let sections = 0;
      for (let i = 0; i < files; i++) {
        const kind = i % 2 === 0 ? 'config' : 'credentials';
        const text = makeFile(random, kind);
        const found = ours(kind, text);
        assert.deepEqual(found, await theirs(kind, text), `file ${i}, ${kind}: ${JSON.stringify(text)}`);
        sections += Object.keys(found).length;
      }
      assert.ok(sections > files, 'the files have something in them');
    },
  },
  ...differences.map(([what, text, javascript, expected]) => ({
    name: `profiles: ${what} is read as AWS's CLI does, which AWS's JavaScript client does not`,
    async run() {
      const found = ours('config', text);
      assert.deepEqual((await theirs('config', text)).default, javascript);
      if (typeof expected === 'number') assert.equal(found.line, expected);
      else assert.deepEqual(found.default, expected);
    },
  })),
];
