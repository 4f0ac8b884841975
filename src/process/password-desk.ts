/**
 * The file `users` of a data directory, and what is done with it: by the supervisor while a Postern
 * runs, else by the command that was called. Workers get what they need of it from the supervisor,
 * and cannot read it.
 */

import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { parsePasswordFile } from '../core/accounts/password-file.ts'
import type { PasswordFile } from '../core/accounts/password-file.ts'
import { fail, ok } from '../core/result.ts'
import type { Result } from '../core/result.ts'
import { readKeyFile } from '../io/key-files.ts'
import { createPasswordCrypto } from '../io/password-crypto.ts'
import { oneTimePassword } from '../io/pkcs12.ts'
import { system } from '../io/system.ts'
import { writeWholeFile } from '../io/whole-file.ts'
import type { Accounts } from '../relay/account-register.ts'
import type { HolderRecord, PasswordAnswer, PasswordRequest } from '../relay/admin.ts'
import { accountsOf, administerPasswords } from '../relay/password-admin.ts'

const PRIVATE_FILE = 0o600

export function passwordFile(directory: string): string {
  return path.join(directory, 'users')
}

/** Who may log in with a password or, where the settings in force take them, a token. */
export type AccountsRead = (byToken: boolean) => Accounts | null

export async function readAccounts(directory: string, holders: () => Promise<Result<readonly HolderRecord[], string>>): Promise<Result<AccountsRead, string>> {
  const file = readPasswords(directory)
  if (!file.ok) return file
  const listed = await holders()
  return listed.ok ? ok(byToken => accountsOf(file.value, listed.value, byToken)) : listed
}

/** One request at a time, so that none undoes what another has written. */
export class PasswordDesk {
  readonly #directory: string
  readonly #crypto = createPasswordCrypto()
  #queue: Promise<unknown> = Promise.resolve()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** Rejects never. */
  handle(holders: readonly HolderRecord[], request: PasswordRequest): Promise<Result<PasswordAnswer, string>> {
    const done = this.#queue.then(() => this.#administer(holders, request)).catch((error: unknown) => fail(problemOf(error)))
    this.#queue = done
    return done
  }

  #administer(holders: readonly HolderRecord[], request: PasswordRequest): Promise<Result<PasswordAnswer, string>> {
    const port = {
      crypto: this.#crypto,
      now: system.now,
      newId: system.newId,
      newPassword: () => oneTimePassword(randomBytes),
      read: () => readPasswords(this.#directory),
      write: (text: string) => writeWholeFile(passwordFile(this.#directory), text, PRIVATE_FILE),
    }
    return administerPasswords(port, holders, request)
  }
}

/** Null where there is none. Refused if anybody else can read it (S24). */
export function readPasswords(directory: string): Result<PasswordFile | null, string> {
  const file = passwordFile(directory)
  if (!existsSync(file)) return ok(null)
  const text = readKeyFile(file)
  return text.ok ? parsePasswordFile(text.value, file) : text
}

function problemOf(error: unknown): string {
  return `the passwords could not be changed: ${error instanceof Error ? error.message : String(error)}`
}
