import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import chromium from '@sparticuz/chromium';
import { chromium as browsers } from 'playwright-core';
import type { Browser, Page } from 'playwright-core';
import { waitFor } from '../../testbed/http.js';
import { REGION_WORKFLOW_TYPE, TASK_QUEUE } from '../../workflows/shared/names.js';
import type { Place } from '../capability/world.js';
import { startPlace } from '../capability/world.js';

jest.setTimeout(300_000);

/** Temporal's own pages, in a browser, as somebody uses them who has nothing else; the region behind them is real. */
describe("Temporal's user interface", () => {
  let place: Place;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    [place, browser] = await Promise.all([
      startPlace({ ui: true, tickSeconds: 30 }),
      chromium
        .executablePath()
        .then(async (executablePath) => browsers.launch({ executablePath, args: chromium.args, headless: true })),
    ]);
    await place.startWorker();
    page = await browser.newPage({ viewport: { width: 1400, height: 1200 } });
    page.setDefaultTimeout(30_000);
  });

  afterAll(async () => {
    await browser.close();
    await place.stop();
  });

  const open = async (below: string): Promise<void> => {
    await page.goto(`${place.uiUrl ?? ''}/namespaces/default/workflows/${below}`);
  };
  const workflow = (): string => encodeURIComponent(place.region.workflowId);
  /** The editor completes brackets and quotes of what is typed; what is pasted it takes as it is. */
  const paste = async (editor: ReturnType<Page['locator']>, text: string): Promise<void> => {
    await editor.click();
    await page.keyboard.insertText(text);
  };

  /** Opens the tab and waits until it shows `texts`; the page is loaded anew where it does not come to it. */
  const searchAttributes = async (texts: readonly string[]): Promise<void> => {
    let shown = '';
    const look = async (): Promise<boolean> => {
      await page.getByTestId('search-attributes-tab').click({ timeout: 10_000 });
      return waitFor(`the page shows ${texts.join(' and ')}`, 10_000, async () => {
        shown = await page.locator('body').innerText();
        return texts.every((text) => shown.includes(text));
      });
    };
    await waitFor('the search attributes', 90_000, async () =>
      look().catch(async (error: unknown) => {
        await page.reload();
        throw error;
      }),
    ).catch((error: unknown) => {
      throw new Error(`${String(error)}; the page shows: ${shown}`);
    });
  };

  it('starts a region from the text of its file', async () => {
    await open('start-workflow');
    await page.getByLabel('Workflow ID').fill(place.region.workflowId);
    await page.getByLabel('Task Queue').fill(TASK_QUEUE);
    await page.getByLabel('Workflow Type').fill(REGION_WORKFLOW_TYPE);
    await paste(page.locator('.cm-content').first(), JSON.stringify(readFileSync(place.world.regionFile, 'utf8')));
    await page.getByRole('button', { name: 'Start Workflow' }).last().click();
    const status = await place.until('the region operates', 240_000, ({ phase }) => phase === 'operating');
    expect(status.region).toBe(place.world.spec.name);
  });

  it('shows the phase, and what the region says of itself', async () => {
    await open(`${workflow()}`);
    await page.getByTestId('user-metadata-tab').click();
    // Markdown is shown in a frame of its own.
    await page.frameLocator('iframe').getByText('steps done: forecast, plan, pre-deploy').waitFor();
    await searchAttributes(['PsmgPhase', 'operating']);
  });

  it('sends an override as a signal, which is in force on the proxy', async () => {
    const message = {
      key: 'ui-1',
      who: 'ada',
      why: 'typed into the page',
      address: 'storefront.rateLimit.rps',
      value: 77.5,
    };
    await open(`${workflow()}`);
    // The timeline is drawn anew with every event, and takes all that a small machine has.
    await searchAttributes(['PsmgPhase']);
    const modal = page.locator('dialog[open]');
    // A menu that opens while the page still loads is closed again.
    await waitFor('the form for a signal', 30_000, async () => {
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'More Actions' }).filter({ visible: true }).click({ timeout: 2000 });
      await page.getByTestId('signal-button').filter({ visible: true }).click({ timeout: 2000 });
      await modal.waitFor({ timeout: 2000 });
      return true;
    });
    // The page has asked the workflow which signals it takes.
    await modal.getByTestId('signal-select-button').click();
    await modal
      .getByRole('option')
      .filter({ hasText: /^\s*override\s*$/ })
      .click();
    await paste(modal.locator('.cm-content'), JSON.stringify(message));
    // What the editor holds reaches the form a moment later; a message sent twice is one by its key.
    await waitFor('the form is sent', 60_000, async () => {
      if (await modal.isVisible()) await modal.getByRole('button', { name: 'Submit' }).click({ timeout: 2000 });
      await modal.waitFor({ state: 'hidden', timeout: 3000 });
      return true;
    });
    const status = await place.until('the override is in force', 60_000, ({ overrides }) => overrides.length === 1);
    expect(status.overrides).toMatchObject([{ address: message.address, value: message.value, who: 'ada' }]);
    // The same key is answered with what came of it.
    const again = ['region', 'override', place.world.spec.name, message.address, String(message.value)];
    const outcome = await place.psmgJson(...again, '--why', message.why, '--who', message.who, '--key', message.key);
    expect(outcome).toMatchObject({ accepted: true, detail: expect.stringContaining('in force on every proxy') });
  });
});
