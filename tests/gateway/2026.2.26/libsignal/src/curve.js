"use strict";
exports.generateKeyPair = exports.calculateSignature = exports.verifySignature = function () {
  throw new Error("WhatsApp is not part of the tests");
};
