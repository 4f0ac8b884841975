/**
 * Plays each *.console file: commands as typed, and exactly what they print.
 *
 *     $ command       run by sh in a folder of its own, which one file's commands share
 *     text            standard output
 *     ! text          standard error
 *     ? 2             the exit code, where it isn't 0
 *     ## text         a comment
 *
 * What differs from run to run is written as NAME: see `settled`. After a change that is meant:
 * UPDATE=1 node --test test/console/console.test.ts, and read the difference.
 */

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'

const BIN = path.join(import.meta.dirname, '..', '..', 'bin')

const files = readdirSync(import.meta.dirname).filter(name => name.endsWith('.console'))
for (const name of files) {
  test(name, async () => {
    const file = path.join(import.meta.dirname, name)
    const source = readFileSync(file, 'utf8')
    const played = await play(source)
    if (process.env['UPDATE'] === '1') writeFileSync(file, played)
    else assert.equal(played, source)
  })
}

/** The file as it would be written now. */
async function play(source: string): Promise<string> {
  const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'postern-console-')))
  try {
    const blocks: string[] = []
    // What was printed last time is left out, and comes anew.
    for (const line of source.split('\n').filter(line => /^(?:##|\$) /.test(line))) {
      blocks.push(line.startsWith('$ ') ? `${line}\n${settled(await output(line.slice(2), folder), folder)}` : `${line}\n`)
    }
    return blocks.join('\n')
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function output(command: string, folder: string): Promise<string> {
  const child = spawn('sh', ['-c', command], {
    cwd: folder,
    env: { ...process.env, PATH: `${BIN}:${process.env['PATH']}`, HOME: folder, NO_COLOR: '1', FORCE_COLOR: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  const [code] = (await once(child, 'close')) as [number | null]
  return `${stdout}${stderr.replace(/^(?=.)/gm, '! ')}${code === 0 ? '' : `? ${code}\n`}`
}

function settled(text: string, folder: string): string {
  return text
    .replaceAll(folder, '/HERE')
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, 'TIME')
    .replaceAll(/\b[0-9a-f]{16,64}\b/g, 'HEX')
    .replaceAll(/\b[a-z0-9]{4}(?:-[a-z0-9]{4}){5}\b/g, 'ONE-TIME-PASSWORD')
    .replaceAll(/\b\d+ (?:s|min) ago\b/g, 'NOW')
    .replaceAll(/[ \t]+$/gm, '')
}
