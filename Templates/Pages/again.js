// Posts the provider's answer once more: only to a form of this site's own does the browser add this site's cookie.
// Not `form.submit()`: a field of that name would stand before it.
HTMLFormElement.prototype.submit.call(document.querySelector("form"));
