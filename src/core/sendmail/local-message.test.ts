import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compose, formatAuthor, LocalMessage, type CompositionFacts } from './local-message.ts'

const FACTS: CompositionFacts = { readsRecipients: true, from: 'me@example.org', at: 0, id: '1', hostname: 'example.org' }
const COMPLETE = 'From: a@b.example\r\nDate: x\r\nMessage-ID: <1@x>\r\n'

function split(text: string, length = text.length): readonly [header: string, rest: string] {
  const message = new LocalMessage(1000)
  let rest = ''
  for (let at = 0; at < text.length; at += length) rest += message.take(Buffer.from(text.slice(at, at + length))).toString()
  rest += message.finish().toString()
  return [message.header.toString(), rest]
}

test('header and text come apart at the empty line, which is there afterwards', () => {
  for (const length of [1, 3, 1000]) {
    assert.deepEqual(split('A: 1\r\n\r\ntext\r\n', length), ['A: 1\r\n', '\r\ntext\r\n'])
    assert.deepEqual(split('text\r\nA: 1\r\n', length), ['', '\r\ntext\r\nA: 1\r\n'])
    assert.deepEqual(split('A: 1\r\n', length), ['A: 1\r\n', '\r\n'])
    assert.deepEqual(split('', 1), ['', '\r\n'])
  }
})

test('a header beyond the limit is known before all of it has come', () => {
  const message = new LocalMessage(100)
  message.take(Buffer.from(`A: ${'x'.repeat(97)}`))
  assert.equal(message.isHeaderTooLarge, false)
  message.take(Buffer.from('x'))
  assert.equal(message.isHeaderTooLarge, true)
})

test('recipients are read, and blind copies taken out, only if that was asked for', () => {
  const header = `${COMPLETE}To: Ann <ann@b.example>\r\nBCC :\r\n carol\r\nReturn-Path: <x@y.example>\r\n`
  const asked = compose(Buffer.from(header), FACTS)
  assert.ok(asked.ok)
  assert.deepEqual([asked.value.recipients, asked.value.header.toString()], [['ann@b.example', 'carol'], `${COMPLETE}To: Ann <ann@b.example>\r\n`])
  const unasked = compose(Buffer.from(header), { ...FACTS, readsRecipients: false })
  assert.ok(unasked.ok)
  assert.deepEqual([unasked.value.recipients, unasked.value.header.toString()], [[], header.replace(/Return.*\r\n/, '')])
})

test('what is missing is added, with the name of who sends', () => {
  const composed = compose(Buffer.alloc(0), { ...FACTS, from: formatAuthor('Joe "X" User', 'me@example.org') })
  assert.ok(composed.ok)
  assert.equal(
    composed.value.header.toString(),
    'From: "Joe \\"X\\" User" <me@example.org>\r\nDate: Thu, 01 Jan 1970 00:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n',
  )
})

test('S14: no name ends its line', () => {
  assert.equal(formatAuthor('Joe\r\nBcc: x@y.example', 'me@example.org'), '"Joe Bcc: x@y.example" <me@example.org>')
  assert.equal(formatAuthor(' \n', 'me@example.org'), 'me@example.org')
  const long = formatAuthor('ü'.repeat(100), 'me@example.org')
  assert.ok(long.split('\r\n').every((line, at) => line.length <= 95 && line.startsWith(at === 0 ? '=?' : ' =?')))
})
