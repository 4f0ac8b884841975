/**
 * PLAIN (RFC 4616) and LOGIN: the password itself, within TLS.
 *
 * LOGIN never became a standard (draft-murchison-sasl-login); it is what printers and old mail
 * programs have. Its prompts are not shown to anybody, and the words here are those they wait for.
 */

import { fail } from '../result.ts'
import { ask, challenge, conclude, textOf, type SaslScript } from './script.ts'

/** RFC 4616 §2: `[authzid] NUL authcid NUL passwd`. */
export function* plain(): SaslScript {
  const parts = textOf(yield* challenge(''))?.split('\0') ?? []
  const [wanted = '', login = '', password = ''] = parts
  if (parts.length !== 3 || login === '' || password === '') return fail('malformed')
  const attempt = { mechanism: 'PLAIN', login, wanted }
  return conclude(attempt, yield* ask({ kind: 'checkPassword', attempt, password }))
}

/** The user's name may come with AUTH, as in PLAIN; the challenge for it is then left out. */
export function* login(): SaslScript {
  const name = textOf(yield* challenge('Username:'))
  const password = textOf(yield* challenge('Password:'))
  if (name === null || password === null || name.includes('\0') || password.includes('\0')) return fail('malformed')
  if (name === '' || password === '') return fail('malformed')
  const attempt = { mechanism: 'LOGIN', login: name, wanted: '' }
  return conclude(attempt, yield* ask({ kind: 'checkPassword', attempt, password }))
}
