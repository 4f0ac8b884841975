/**
 * Who can read and replace the files that must stay ours (S24).
 *
 * A key that another account can read is no key any more, and one that another account can replace
 * was never ours. So a key file is a plain file, never a symbolic link, readable by its owner only,
 * and its owner and its folder's are we or root. Each problem names the file, what was found and the
 * command that mends it.
 */

import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, readdirSync, realpathSync } from 'node:fs'
import type { Stats } from 'node:fs'
import path from 'node:path'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'

/** The mode bits that group and others must not have. */
const ANY_ACCESS = 0o077
const WRITE_ACCESS = 0o022

/** Reads a secret, having checked the very file that is read. */
export function readKeyFile(file: string): Result<string, string> {
  let descriptor: number
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    return fail(cannotOpen(file, error as NodeJS.ErrnoException))
  }
  try {
    const found = fstatSync(descriptor)
    const problem = keyProblem(file, found) ?? folderProblem(path.dirname(file), WRITE_ACCESS)
    return problem === null ? ok(readFileSync(descriptor, 'utf8')) : fail(problem)
  } finally {
    closeSync(descriptor)
  }
}

/** Why a file must not be used as a secret, or null. */
export function checkKeyFile(file: string): string | null {
  const read = readKeyFile(file)
  return read.ok ? null : read.problem
}

/** Everything that is unsafe about the modes and owners in a data directory. What is missing is no concern of this. */
export function checkDataFolder(directory: string): readonly string[] {
  const inside = (name: string): string => path.join(directory, name)
  return [
    folderProblem(directory, WRITE_ACCESS),
    ...['postern.toml', 'access'].map(name => settingProblem(inside(name))),
    checkIfThere(inside('users')),
    folderProblem(inside('ca'), ANY_ACCESS),
    // Started as root, Postern gives the spool to the account of its workers, each time.
    folderProblem(inside('spool'), ANY_ACCESS, process.geteuid?.() === 0 ? 'of anybody' : 'ours'),
    folderProblem(inside('tls'), WRITE_ACCESS),
    ...['ca', 'tls'].flatMap(name => keysIn(inside(name)).map(checkKeyFile)),
  ].filter(problem => problem !== null)
}

/** What is unsafe about a file that grants rights, wherever the settings say it is; a link may lead there. Null also if it cannot be found. */
export function checkGrantingFile(file: string): string | null {
  let real: string
  try {
    real = realpathSync(file)
  } catch {
    return null
  }
  return settingProblem(real) ?? folderProblem(path.dirname(real), WRITE_ACCESS)
}

function keyProblem(file: string, found: Stats): string | null {
  if (!found.isFile()) return `${file}: is not a plain file; put the key itself there`
  if ((found.mode & ANY_ACCESS) !== 0) {
    return `${file}: other accounts can use this file (mode ${octal(found)}); run: chmod 0600 ${quoted(file)}`
  }
  return ownerProblem(file, found)
}

/** `forbidden` are the mode bits that the folder must not have. */
function folderProblem(folder: string, forbidden: number, owner: 'ours' | 'of anybody' = 'ours'): string | null {
  const found = statIfThere(folder)
  if (found === null) return null
  if (found.isSymbolicLink()) return `${folder}: is a symbolic link, which can be pointed elsewhere; put the folder itself there`
  if (!found.isDirectory()) return `${folder}: is not a folder`
  if ((found.mode & forbidden) !== 0) {
    const mode = forbidden === ANY_ACCESS ? '0700' : 'go-w'
    const what = forbidden === ANY_ACCESS ? 'other accounts can look into this folder' : 'other accounts can replace files in this folder'
    return `${folder}: ${what} (mode ${octal(found)}); run: chmod ${mode} ${quoted(folder)}`
  }
  return owner === 'ours' ? ownerProblem(folder, found) : null
}

/** A file that grants rights: others may read it, never write it. */
function settingProblem(file: string): string | null {
  const found = statIfThere(file)
  if (found === null) return null
  if (found.isSymbolicLink()) return `${file}: is a symbolic link, which can be pointed elsewhere; put the file itself there`
  if ((found.mode & WRITE_ACCESS) !== 0) {
    return `${file}: other accounts can change who may relay (mode ${octal(found)}); run: chmod go-w ${quoted(file)}`
  }
  return ownerProblem(file, found)
}

/**
 * Ours or root's. Started as root, Postern also takes what belongs to the owner of the folder: that
 * is the account it will become, and it could replace the file anyway.
 */
function ownerProblem(file: string, found: Stats): string | null {
  const us = process.geteuid?.() ?? found.uid
  if (found.uid === 0 || found.uid === us) return null
  if (us === 0 && statIfThere(path.dirname(file))?.uid === found.uid) return null
  return `${file}: belongs to another account (uid ${found.uid}, not ${us}); run: chown ${us} ${quoted(file)}`
}

function cannotOpen(file: string, error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'ENOENT':
      return `${file}: no such file; a key belongs there`
    case 'ELOOP':
      return `${file}: is a symbolic link, which can be pointed elsewhere; put the key itself there`
    case 'EACCES':
      return `${file}: not readable by this account (uid ${process.geteuid?.() ?? 'unknown'}); run Postern as the owner of the file`
    default:
      return `${file}: cannot be read: ${error.message}`
  }
}

function checkIfThere(file: string): string | null {
  return statIfThere(file) === null ? null : checkKeyFile(file)
}

function keysIn(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter(name => name.endsWith('.key'))
    return names.sort().map(name => path.join(folder, name))
  } catch {
    return [] // Missing, or not ours to read: other checks say so.
  }
}

function statIfThere(file: string): Stats | null {
  return lstatSync(file, { throwIfNoEntry: false }) ?? null
}

function octal(found: Stats): string {
  return (found.mode & 0o7777).toString(8).padStart(4, '0')
}

/** As a shell takes it. */
function quoted(file: string): string {
  return /^[\w./-]+$/.test(file) ? file : `'${file.replaceAll("'", `'\\''`)}'`
}
