// A receipt's QR code leads here with the signed receipt behind the '#'; a file's digest is computed on this device.
(function () {
  var state = document.getElementById('state');
  var signed = location.hash.slice(1);

  function say(zh, en) {
    state.textContent = '';
    [[zh, ''], [en, 'en']].forEach(function (pair) {
      var line = document.createElement('p');
      line.textContent = pair[0];
      if (pair[1]) { line.className = 'en'; line.lang = 'en'; }
      state.appendChild(line);
    });
  }

  // The server draws the answer; its page takes the place of this one.
  function show(html) {
    var page = new DOMParser().parseFromString(html, 'text/html');
    document.getElementById('main').replaceWith(document.importNode(page.getElementById('main'), true));
    document.title = page.title;
    scrollTo(0, 0);
    var headline = document.getElementById('headline');
    if (headline) headline.focus();
  }

  if (/^[A-Z2-7]{100,2400}$/i.test(signed)) {
    say('正在核对回执……', 'Checking the receipt…');
    fetch('/api/v1/receipts/check', {
      method: 'POST', body: signed, credentials: 'omit', headers: { 'Content-Type': 'text/plain', Accept: 'text/html' }
    }).then(function (answer) { return answer.text(); }).then(show, function () {
      say('连接不上服务器，没有得出结果。', 'The server cannot be reached; there is no result.');
    });
  }

  if (self.crypto && crypto.subtle) {
    document.getElementById('pick').hidden = false;
    document.getElementById('of').addEventListener('change', function (event) {
      var file = event.target.files[0];
      if (!file) return;
      new Response(file).arrayBuffer().then(function (bytes) {
        return crypto.subtle.digest('SHA-256', bytes);
      }).then(function (digest) {
        document.getElementById('subject').value = Array.from(new Uint8Array(digest)).map(function (b) {
          return (b < 16 ? '0' : '') + b.toString(16);
        }).join('');
      });
    });
  }
})();
