/**
 * Whom the workers become when Postern is started as root (S24).
 *
 * The supervisor stays what it was started as, because it must be able to start workers again and to
 * read renewed keys; it reads nothing from the network. A worker becomes someone who can open neither
 * `ca/` nor `tls/`, before it reads its first byte.
 */

import { chmodSync, lchownSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
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

/**
 * Makes the spool folder and its shards, for nobody but the account.
 *
 * Another process of that account may be at work in them meanwhile, and would have root give it whatever a
 * link in place of a folder leads to. So each folder is taken away before anything in it is looked at, from
 * the top: what lies in a folder of root's is what it was when it was looked at. Then all is handed over.
 */
export function prepareSpool(spoolFolder: string, shards: readonly string[], account: Account | null): Result<null, string> {
  const folders = shards.map(shard => path.join(spoolFolder, shard))
  for (const folder of [spoolFolder, ...folders]) {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    if (!lstatSync(folder).isDirectory()) return fail(`${folder} is not a folder; move it elsewhere, and for a spool on another disk mount that there`)
    takeAway(folder, account)
  }
  if (account === null) return ok(null)
  for (const folder of folders) {
    const problem = handOver(folder, account)
    if (problem !== null) return fail(problem)
  }
  lchownSync(spoolFolder, account.uid, account.gid)
  return ok(null)
}

/** For a folder within one that has been taken away, or whose place nobody else can change. */
function takeAway(folder: string, account: Account | null): void {
  if (account !== null) lchownSync(folder, 0, 0)
  chmodSync(folder, 0o700)
}

/** With what is left in it of a run as another account. Links themselves are given, and not followed. */
function handOver(folder: string, account: Account): string | null {
  for (const name of readdirSync(folder)) {
    const file = path.join(folder, name)
    const entry = lstatSync(file)
    if (entry.isDirectory()) {
      takeAway(file, account)
      const problem = handOver(file, account)
      if (problem !== null) return problem
    } else if (entry.nlink > 1) return `${file} has another name besides this one, and may be somebody else's file; move it elsewhere`
    else lchownSync(file, account.uid, account.gid)
  }
  lchownSync(folder, account.uid, account.gid)
  return null
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
