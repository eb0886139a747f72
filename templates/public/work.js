// Finds the number a look-up costs (verifier/web/proof_of_work.py): many digests at a time, so that the page stays alive.
(function () {
  var form = document.getElementById('work');
  var bits = Number(form.dataset.bits);
  var state = document.getElementById('state');
  var bar = document.getElementById('bar');
  var AT_ONCE = 512;
  if (!(self.crypto && crypto.subtle && self.TextEncoder)) return;
  var encoder = new TextEncoder();

  function zeroBits(digest) {
    var bytes = new Uint8Array(digest);
    var count = 0;
    for (var i = 0; i < bytes.length; i++) {
      if (bytes[i] === 0) { count += 8; continue; }
      return count + Math.clz32(bytes[i]) - 24;
    }
    return count;
  }

  function from(start) {
    var tries = [];
    for (var n = start; n < start + AT_ONCE; n++) {
      tries.push(crypto.subtle.digest('SHA-256', encoder.encode(form.dataset.challenge + ':' + n)));
    }
    return Promise.all(tries).then(function (digests) {
      for (var i = 0; i < digests.length; i++) {
        if (zeroBits(digests[i]) >= bits) return start + i;
      }
      bar.value = 100 * (1 - Math.exp(-(start + AT_ONCE) / Math.pow(2, bits)));
      return from(start + AT_ONCE);
    });
  }

  bar.hidden = false;
  state.textContent = '正在计算…… Computing…';
  from(0).then(function (answer) {
    document.getElementById('proof').value = form.dataset.challenge + ':' + answer;
    form.submit();
  });
})();
