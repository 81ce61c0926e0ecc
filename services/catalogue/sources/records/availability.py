"""Availability and condition: the words and addresses of feeds → the words of Google's product data specification."""

import re
from typing import Any

NOT_LETTERS = re.compile(r"[\W_]+")
QUANTITY = re.compile(r"-?\d+(?:\.\d+)?")
SCHEMA = re.compile(r"(?:https?://(?:www\.)?schema\.org/|schema:)(?P<word>\w+)/?", re.IGNORECASE)


def _table(**words: str) -> dict[str, str]:
    return {_folded(word): name for name, texts in words.items() for word in texts.split(",")}


def _folded(text: str) -> str:
    """Return a word in lower case without spaces, hyphens and underscores."""
    return NOT_LETTERS.sub("", text.lower())


# schema.org's words as Google's documentation of structured data maps them. Google merged "available for order" into
# "in stock" in 2014.
AVAILABILITY = _table(
    in_stock="""in stock,instore,in store only,online only,limited availability,low stock,available,available for order,
        available now,available online,ready to ship,in stock online,on stock,stock,limited stock,
        few left,only left,left,last items,in stock pcs,pcs in stock,in stock items,1,true,yes,y,
        auf lager,lagernd,verfügbar,sofort lieferbar,sofort verfügbar,lieferbar,vorrätig,am lager,ja,wahr,
        en stock,disponible,oui,vrai,en existencia,en existencias,sí,si,verdadero,disponibile,in magazzino,
        disponibilità immediata,sì,vero,em estoque,em stock,disponível,sim,verdadeiro,op voorraad,leverbaar,waar,
        dostępny,dostępne,w magazynie,tak,na magazynie,skladem,na skladě,ano,na sklade,i lager,på lager,lagervara,
        varastossa,raktáron,készleten,în stoc,stokta,в наличии,да,в наявності,有货,在庫あり""",
    out_of_stock="""out of stock,oos,sold out,not available,unavailable,not in stock,no stock,discontinued,not for sale,
        currently unavailable,temporarily out of stock,reserved,0,false,no,n,
        nicht auf lager,ausverkauft,nicht verfügbar,nicht lieferbar,nicht vorrätig,vergriffen,derzeit nicht verfügbar,
        nein,falsch,en rupture,en rupture de stock,rupture,rupture de stock,épuisé,indisponible,non disponible,
        hors stock,non,faux,agotado,sin stock,sin existencias,no disponible,fuera de stock,falso,esaurito,
        non disponibile,fuori stock,esgotado,sem estoque,fora de estoque,indisponível,não,não disponível,
        niet op voorraad,uitverkocht,niet leverbaar,nee,onwaar,niedostępny,niedostępne,brak,brak w magazynie,nie,
        vyprodáno,není skladem,není na skladě,vypredané,ne,slutsåld,slut i lager,udsolgt,ikke på lager,utsolgt,
        ej i lager,loppu,elfogyott,nincs raktáron,stoc epuizat,stokta yok,tükendi,нет в наличии,нет,
        немає в наявності,缺货,在庫切れ,在庫なし""",
    preorder="""preorder,pre sale,presale,coming soon,available for preorder,vorbestellung,vorbestellbar,vorbestellen,
        précommande,en précommande,preventa,prepedido,reserva,preordine,prevendita,pré venda,pré encomenda,
        vooruitbestelling,pre order,przedsprzedaż,předobjednávka,förbeställning,förhandsbeställning,forudbestilling,
        forhåndsbestilling,ennakkotilaus,előrendelés,ön sipariş,предзаказ,预订,予約受付中""",
    backorder="""backorder,made to order,on demand,
        back ordered,on backorder,backorders,available on backorder,on order,nachbestellt,
        nachbestellung,im rückstand,lieferrückstand,en réapprovisionnement,sur commande,pedido pendiente,
        bajo pedido,en arretrato,in arretrato,su ordinazione,por encomenda,sob encomenda,in nabestelling,nabestelling,
        na zamówienie,na objednávku,restnoterad,beställningsvara,bestillingsvare,restordre,под заказ""",
)
CONDITION = _table(
    new="""new,new condition,brand new,brandnew,new with tags,nwt,new without tags,new in box,new other,unused,sealed,
        neu,neuware,fabrikneu,neu mit etikett,neuf,neuve,nouveau,nuevo,nueva,nuovo,nuova,novo,nova,nieuw,nowy,nowe,
        nový,nové,nová,ny,nytt,uusi,új,nou,yeni,новый,новое,новий,全新,新品""",
    refurbished="""refurbished,refurbished condition,refurb,renewed,reconditioned,remanufactured,certified refurbished,
        manufacturer refurbished,seller refurbished,generalüberholt,überholt,wiederaufbereitet,erneuert,aufgearbeitet,
        reconditionné,reconditionnée,remis à neuf,reacondicionado,reacondicionada,restaurado,ricondizionato,
        ricondizionata,rigenerato,recondicionado,recondicionada,gereviseerd,odnowiony,odnowione,repasované,repasovaný,
        renoverad,renoveret,kunnostettu,felújított,recondiționat,yenilenmiş,восстановленный,翻新,再生品""",
    used="""used,used condition,damaged condition,damaged,pre owned,preowned,pre loved,preloved,second hand,secondhand,
        2nd hand,like new,used like new,used good,used fair,used very good,used acceptable,fair,
        very good,good,vintage,open box,gebraucht,gebrauchtware,
        gebraucht wie neu,gebraucht gut,gebraucht sehr gut,
        aus zweiter hand,usagé,usagée,occasion,d'occasion,seconde main,usado,usada,segunda mano,de segunda mano,usato,
        usata,seconda mano,seminovo,segunda mão,gebruikt,tweedehands,używany,używane,použité,použitý,begagnad,
        begagnat,brugt,brukt,käytetty,használt,folosit,second hand,ikinci el,б у,бу,подержанный,вживаний,二手,中古""",
)
TABLES = {"availability": AVAILABILITY, "condition": CONDITION}


def google_word(name: str, value: Any) -> str | None:
    """Return Google's word for a value of `availability` or `condition`, or None if the value is not known.

    Args:
        name: the attribute, in lower case.
        value: a word of a feed, an address such as `https://schema.org/InStock`, a number or a boolean.
    """
    if isinstance(value, bool):
        value = str(value)
    if isinstance(value, int | float):
        value = f"{value:g}"
    if not isinstance(value, str):
        return None
    address = SCHEMA.fullmatch(value.strip())
    word = _folded(address["word"] if address else value)
    known = TABLES[name].get(word)
    if known is None and name == "availability":
        number = QUANTITY.fullmatch(value.strip())
        if number is not None:  # the stock
            return "in_stock" if float(value) > 0 else "out_of_stock"
        known = AVAILABILITY.get(re.sub(r"\d+", "", word))  # `In stock (5)`
    return known
