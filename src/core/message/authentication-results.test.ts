import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimsToBeOurs } from './authentication-results.ts'

function check(text: string, ours: boolean): void {
  assert.equal(claimsToBeOurs(text, 'mx.example.org'), ours, JSON.stringify(text))
}

test('a field is ours by the name at its beginning, however that is written', () => {
  for (const text of [
    ' mx.example.org; spf=pass',
    'mx.example.org',
    ' MX.Example.Org.; none',
    ' mx.example.org 1; none',
    ' (a comment) mx.example.org (another) 1; none',
    ' "mx.example.org"; none',
    ' "mx.ex\\ample.org"; none',
    ' mx (x) . example (y) .org; none',
    ' mx . example . org 1; none',
    ' mx.example.org/1; none',
    ' mx.example.org=x; none',
    '\t mx.example.org smtp.mailfrom=x',
  ])
    check(text, true)
})

test('others may say what they like', () => {
  for (const text of [
    ' mx.example.com; spf=pass',
    ' example.org; none',
    ' mx.example.org.example.com; none',
    ' smx.example.org; none',
    ' mx.example.orgü; none',
    ' mx.example.com (mx.example.org); none',
    ' mx.example.com; spf=pass smtp.mailfrom=mx.example.org',
    ' "mx.example.org "; none',
  ])
    check(text, false)
})

test('what cannot be read might be ours to whoever reads it', () => {
  for (const text of ['', ' ', ' (mx.example.com; none', ' "mx.example.com; none', ' mx.example.com [x', ' mx.example.com\0; none', ' mx.example.com\ufffd; none']) check(text, true)
})

test('a name that ends in a digit has no version taken from it', () => {
  for (const text of [' relay1; none', ' "" relay1; none', ' relay1 1; none']) assert.equal(claimsToBeOurs(text, 'relay1'), true, text)
  assert.equal(claimsToBeOurs(' relay2; none', 'relay1'), false)
})
