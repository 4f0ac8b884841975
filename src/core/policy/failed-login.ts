/** Why a login failed, in words, and what would make it succeed. For the administrator: the client is told neither. */

import { BEARER_MECHANISMS } from '../sasl/bearer.ts'
import type { LoginFailure } from '../sasl/script.ts'
import type { LoginQuestion } from './decision.ts'

export function explainLoginFailure(why: LoginFailure): string {
  return FAILURES[why]
}

export function adviceOnLogin({ login, mechanism, asker }: LoginQuestion, why: string): string {
  switch (why as LoginFailure) {
    case 'unknownUser':
      return (BEARER_MECHANISMS as readonly string[]).includes(mechanism)
        ? 'make somebody of that name with `postern user add`, or have the provider put the name of somebody in the claim that [oauth] names.'
        : 'the client must log in with a name or an address of "postern user list"; `postern user passwd NAME --device DEVICE` makes a password.'
    case 'wrongPassword':
      return '`postern user passwd NAME --device DEVICE` makes another password for the device.'
    case 'wrongNetwork':
      return `\`postern user passwd NAME --list\` shows where the password counts; made anew with --network, or without, it counts at ${asker.host.address} too.`
    case 'wrongIdentity':
      return mechanism === 'EXTERNAL' ? 'the client must ask to act as nobody else: by `=`, or by a name or an address of its own certificate.' : 'the client must ask to act as nobody else than it logs in as.'
    case 'tooManyFailures':
      return 'wait until what login-failure-rate of [limits] allows has come back; or raise that, or list the network in limits.exempt.'
    case 'tooBusy':
      return 'wait: more logins come than can be looked at.'
    case 'unavailable':
      return 'see the line of the log with "what":"login" of the same session; without one, nobody has a password any more.'
    case 'wrongChannel':
      return 'somebody between the client and this relay reads along: find out who ends the TLS of the client.'
    case 'downgrade':
      return 'somebody has taken the -PLUS mechanisms off the list that the client saw: find out who is in between.'
    default:
      return `the client needs another token${login === '' ? '' : ` for ${JSON.stringify(login)}`}; [oauth] of postern.toml says which ones are good.`
  }
}

const FAILURES: Record<LoginFailure, string> = {
  unknownUser: 'nobody who may log in has that name or address',
  wrongPassword: 'it is none of the passwords of that name',
  wrongNetwork: 'the password is right, and does not count in the network of the client',
  wrongIdentity: 'the client wanted to act as somebody else than it had proved to be',
  wrongChannel: 'the proof is bound to another TLS connection than this one',
  downgrade: 'the client believes that no channel binding is offered, and it is',
  tooManyFailures: 'so many logins from this network have failed that nobody looked',
  tooBusy: 'so many logins were being looked at that nobody looked',
  unavailable: 'logins could not be looked at',
  malformedToken: 'the token cannot be read, or lacks what every token must have',
  inactiveToken: 'the provider says that the token is not in force',
  wrongAlgorithm: 'the token is signed by a method that is not taken',
  wrongType: 'the token is for something else than to give access',
  unknownKey: 'the provider has no key of the name that the token gives',
  wrongSignature: 'the signature of the token is wrong',
  expiredToken: 'the token has expired',
  earlyToken: 'the token is not in force yet',
  wrongIssuer: 'the token is from another issuer',
  wrongAudience: 'the token is meant for another service',
  wrongScope: 'the token does not give the scope that is wanted',
  boundToken: 'the token counts only together with a key, and nothing is proved of it here',
  namelessToken: 'the claim that names the account is missing, or is no name',
}
