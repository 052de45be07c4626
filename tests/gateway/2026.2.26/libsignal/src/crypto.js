"use strict";
exports.calculateMAC = exports.decrypt = exports.encrypt = exports.deriveSecrets = function () {
  throw new Error("WhatsApp is not part of the tests");
};
