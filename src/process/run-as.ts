/**
 * Whom the workers become when Postern is started as root (S24).
 *
 * The supervisor stays what it was started as, because it must be able to start workers again and to
 * read renewed keys; it reads nothing from the network. A worker becomes someone who can open neither
 * `ca/` nor `tls/`, before it reads its first byte.
 */

import { chmodSync, chownSync, lchownSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'

export type Account = { readonly name: string; readonly uid: number; readonly gid: number }

/** In this order: an account made for us, then one that owns nothing. */
const USUAL_ACCOUNTS = ['postern', 'nobody']

/** The account for workers; null when we are not root and stay who we are. */
export function chooseAccount(configured: string | null): Result<Account | null, string> {
  if (process.getuid?.() !== 0) return ok(null)
  const accounts = readAccounts()
  if (configured !== null) {
    const account = accounts.get(configured)
    if (account === undefined) return fail(`user = "${configured}": there is no such account; make it with: useradd --system ${configured}`)
    if (account.uid === 0) return fail('user = "root": workers read what strangers send and must not be root; name another account')
    return ok(account)
  }
  for (const name of USUAL_ACCOUNTS) {
    const account = accounts.get(name)
    if (account !== undefined) return ok(account)
  }
  return fail(`started as root, and there is no account to run workers as; make one with: useradd --system ${USUAL_ACCOUNTS[0]}`)
}

/** Makes the spool folder and its shards, for nobody but the account. */
export function prepareSpool(spoolFolder: string, shards: readonly string[], account: Account | null): Result<null, string> {
  for (const folder of [spoolFolder, ...shards.map(shard => path.join(spoolFolder, shard))]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (!lstatSync(folder).isDirectory()) return fail(`${folder} is not a folder; move it elsewhere, and for a spool on another disk mount that there`)
    chmodSync(folder, 0o700)
    if (account !== null) chownSync(folder, account.uid, account.gid)
  }
  if (account !== null) for (const shard of shards) giveFiles(path.join(spoolFolder, shard), account)
  return ok(null)
}

/** Files left from a run as another account. Links are not followed. */
function giveFiles(folder: string, account: Account): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = path.join(folder, entry.name)
    lchownSync(file, account.uid, account.gid)
    if (entry.isDirectory()) giveFiles(file, account)
  }
}

/** Becomes the account for good: groups first, while we still may. */
export function becomeAccount(account: { readonly uid: number; readonly gid: number }): void {
  process.setgroups?.([])
  process.setgid?.(account.gid)
  process.setuid?.(account.uid)
}

function readAccounts(): ReadonlyMap<string, Account> {
  const accounts = new Map<string, Account>()
  for (const line of readFileSync('/etc/passwd', 'utf8').split('\n')) {
    const [name = '', , uid = '', gid = ''] = line.split(':')
    if (name !== '' && uid !== '' && gid !== '') accounts.set(name, { name, uid: Number(uid), gid: Number(gid) })
  }
  return accounts
}
