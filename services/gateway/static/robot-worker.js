// Solves a challenge of `GET /api/v1/challenges` (ALTCHA, version 2), apart from the page, which stays quick meanwhile.
// Answers { counter, derivedKey }, or null where it cannot be done: another algorithm, or no cryptography (plain HTTP).
"use strict";

const ALGORITHM = "PBKDF2/SHA-256";

const fromHex = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
const toHex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");

async function solve({ algorithm, cost, keyLength, keyPrefix, nonce, salt }) {
  if (algorithm !== ALGORITHM) return null;
  const start = fromHex(nonce);
  const password = new Uint8Array(start.length + 4);
  password.set(start);
  const counted = new DataView(password.buffer);
  const derivation = { name: "PBKDF2", hash: "SHA-256", salt: fromHex(salt), iterations: cost };
  for (let counter = 0; ; counter += 1) {
    counted.setUint32(start.length, counter);
    const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const derivedKey = toHex(await crypto.subtle.deriveBits(derivation, key, keyLength * 8));
    if (derivedKey.startsWith(keyPrefix)) return { counter, derivedKey };
  }
}

self.onmessage = async (message) => {
  try {
    self.postMessage(await solve(message.data));
  } catch {
    self.postMessage(null);
  }
};
