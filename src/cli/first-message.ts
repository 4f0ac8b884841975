/**
 * The commands that a newcomer pastes into another terminal, and that must then work: with absolute
 * paths, since it may stand elsewhere.
 */

import { X509Certificate } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { dataDirectory } from './directory.ts'
import { shellQuoted } from './files.ts'

export type Sender = { readonly certificate: string; readonly key: string; readonly address: string }

/** Somewhere that is nobody's (RFC 6761 §6.5), so that a real relay would refuse a stranger. */
const RECIPIENT = 'friend@example.net'

/** The first certificate under clients/ with its key and address, or null. */
export function senderIn(directory: string): Sender | null {
  const folder = path.join(directory, 'clients')
  const names = existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('.pem')) : []
  for (const name of names.sort()) {
    const certificate = path.join(folder, name)
    const key = certificate.replace(/\.pem$/, '.key')
    const [, address] = /email:([^,\s]+)/.exec(new X509Certificate(readFileSync(certificate)).subjectAltName ?? '') ?? []
    if (address !== undefined && existsSync(key)) return { certificate, key, address }
  }
  return null
}

/** With our certificate; or, with `anonymous`, as a stranger. */
export function sendCommand(directory: string, port: number, sender: Sender, options: { readonly anonymous: boolean }): string {
  const identity = options.anonymous ? '' : ` --cert ${shellQuoted(sender.certificate)} --key ${shellQuoted(sender.key)}`
  if (!isInPath('curl')) {
    return `${program()} probe localhost:${port}${identity} --from ${sender.address} --to ${RECIPIENT} --send${dirOption(directory)}`
  }
  const message = `From: ${sender.address}\\r\\nTo: ${RECIPIENT}\\r\\nSubject: Hello\\r\\n\\r\\nIt works.\\r\\n`
  return [
    `printf '${message}' | curl -sS --ssl-reqd smtp://localhost:${port}`,
    `--cacert ${shellQuoted(path.join(directory, 'ca', 'ca.pem'))}`,
    ...(identity === '' ? [] : [identity.trim()]),
    `--mail-from ${sender.address} --mail-rcpt ${RECIPIENT} --upload-file -`,
  ].join(' \\\n  ')
}

export function explainCommand(directory: string, id: string): string {
  return `${program()} explain ${shellQuoted(id)}${dirOption(directory)}`
}

/** Left out only where the default is the same from everywhere. */
export function dirOption(directory: string): string {
  const isDefault = process.getuid?.() === 0 && directory === dataDirectory(undefined)
  return isDefault ? '' : ` --dir ${shellQuoted(directory)}`
}

/** By name where the name finds this very program, else by its path. */
export function program(): string {
  const ours = realpathSync(path.join(import.meta.dirname, '..', '..', 'bin', 'postern'))
  const found = pathOf('postern')
  return found !== null && realpathSync(found) === ours ? 'postern' : shellQuoted(ours)
}

function isInPath(name: string): boolean {
  return pathOf(name) !== null
}

function pathOf(name: string): string | null {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter).filter(folder => folder !== '')
  return folders.map(folder => path.join(folder, name)).find(isProgram) ?? null
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
