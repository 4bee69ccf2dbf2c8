/**
 * Evaluated inside a page. `faintTexts()` answers every visible text whose contrast with what is behind it is under WCAG's AA, which is 4.5, or 3
 * for large text. In plain JavaScript, because it is handed over as text.
 */
globalThis.faintTexts = () => {
  const channels = (color) => color.match(/[\d.]+/g).map(Number);
  const luminance = (color) => {
    const [r, g, b] = channels(color).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const isOpaque = (color) => (channels(color)[3] ?? 1) > 0.99;
  const behind = (element) => {
    if (element === null) return 'rgb(255, 255, 255)';
    const { backgroundColor } = getComputedStyle(element);
    const block = element.closest('.block, .train')?.querySelector('rect');
    if (block !== undefined && block !== null) return getComputedStyle(block).fill;
    return isOpaque(backgroundColor) ? backgroundColor : behind(element.parentElement);
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const faint = [];
  for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
    const element = text.parentElement;
    if (text.textContent.trim() === '' || element.closest('noscript') || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const front = luminance(element instanceof SVGElement ? style.fill : style.color);
    const back = luminance(behind(element));
    const contrast = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    const size = Number.parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    if (contrast < (isLarge ? 3 : 4.5)) faint.push(`${text.textContent.trim()} (${contrast.toFixed(2)})`);
  }
  return faint;
};
