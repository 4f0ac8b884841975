/** New files where a person asked for them: never over one that is there. */

import { lchownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { writeWholeFile } from '../io/whole-file.ts'
import { Problem } from './command.ts'

export const PRIVATE_FILE = 0o600
export const PUBLIC_FILE = 0o644
/** A key of the relay itself: nobody writes in it. */
const OWN_KEY_FILE = 0o400

export type NewFile = { readonly file: string; readonly content: string | Uint8Array; readonly mode: number }

/** To be asked before anything is made that the files are to hold. */
export function refuseOverwriting(files: readonly string[]): void {
  const there = files.find(file => lstatSync(file, { throwIfNoEntry: false }) !== undefined)
  if (there !== undefined) throw new Problem(`${there} exists already; move it away, or choose another folder with --out`)
}

export async function writeNewFiles(files: readonly NewFile[]): Promise<void> {
  refuseOverwriting(files.map(({ file }) => file))
  for (const { file, content, mode } of files) {
    mkdirSync(path.dirname(file), { recursive: true })
    await writeWholeFile(file, content, mode)
  }
}

/**
 * What root writes into somebody's data directory belongs to that somebody, so that the relay can
 * read it when it runs as that account. Links are not followed.
 */
export function giveToOwnerOf(folder: string, files: readonly string[]): void {
  const { uid, gid } = lstatSync(folder)
  if (process.getuid?.() !== 0 || uid === 0) return
  for (const file of files) {
    lchownSync(file, uid, gid)
    if (lstatSync(file).isDirectory()) giveToOwnerOf(folder, readdirSync(file).map(name => path.join(file, name)))
  }
}

/**
 * Two files cannot be replaced in one step. After a crash between them the pair does not match;
 * Postern says so when it starts, and running the command again mends it.
 */
export async function installPair(certificateFile: string, keyFile: string, issued: { readonly certificatePem: string; readonly keyPem: string }): Promise<void> {
  await writeWholeFile(keyFile, issued.keyPem, OWN_KEY_FILE)
  await writeWholeFile(certificateFile, issued.certificatePem, PUBLIC_FILE)
  for (const file of [keyFile, certificateFile]) giveToOwnerOf(path.dirname(file), [file])
}

/** As a shell takes it. */
export function shellQuoted(word: string): string {
  return /^[\w./:@%+=,[\]-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** As short as it stays unambiguous: relative where the file lies below the current folder, and that is not `/`. */
export function shortPath(file: string): string {
  const folder = process.cwd()
  const relative = path.relative(folder, file)
  return relative === '' || relative.startsWith('..') || path.dirname(folder) === folder ? file : relative
}
