/// Words that say little in languages of Europe written in Latin and Greek letters.
extension StopWords {
    static let danish = """
        af aldrig alle allerede alligevel alt altid anden andet andre at bag begge blandt blev blive bliver blot både
        da de dem den denne der deres derfor derfra deri dermed derpå dertil det dette dig din dine dit dog du efter
        eller en end endnu er et ellers for fordi foran fra før få får gennem gjorde gjort god godt gør gøre ham han
        hans har havde have hej hele hen hende hendes her heller hertil hos hun hvad hvem hver hverken hvilke hvilken
        hvilket hvis hvor hvordan hvorfor hvornår i igen igennem ikke imod ind inden indtil ingen intet ja jeg jer
        jeres jo kan kom komme kommer kun kunne lidt lige ligesom man mange med meget mellem men mens mere mest mig
        min mindre mine mit mod må måske måtte ned nej netop nogen noget nogle nok nu når nær og også om omkring op os
        over overfor på samme samt selv senere ser ses sig siden sige sin sine sit skal skulle snart som stadig sådan
        så til temmelig tidligere tog tå ud uden under undtagen var ved vi via vil ville vor vore vores vær være været
        """

    static let norwegian = """
        alle alt altså andre annen annet at av bak bare begge ble blei bli blir blitt bort bra bruke både båe da de
        deg dei deim deira deires dem den denne der dere deres derfor det dette di din disse ditt du dykk dykkar då eg
        ein eit eitt eller elles en ene eneste enhver enn er et ett etter for fordi fra fram før først gjennom
        gjorde gjøre god gå ha hadde ham han hans har hennar henne hennes her hit hjå ho hoe honom hoss hossen hun hva
        hvem hver hvilke hvilken hvilket hvis hvor hvordan hvorfor i ikke ikkje imens imot inn innen ingen ingi inkje
        inni ja jeg kan kom korleis korso kun kunne kva kvar kvarhelst kven kvi kvifor lage lang lik like man mange me
        med medan meg meget mellom men mens mer mest mi min mine mitt mot mye mykje må måte ned nei no noe noen noka
        noko nokon nokor nokre nu ny nå når og også om opp oss over på samme sannhet seg selv si sia sidan
        siden sin sine sitt sjøl skal skulle slik slutt so som somme somt start så sånn tid til tilbake um
        under upp ut uten var vart varte ved vere verte vi vil ville vite vore vors vort vår være vært å
        """

    static let swedish = """
        aldrig alla allt alltid alltså andra annan annat att av bakom bara bland blev bli blir blivit bort borta bra
        bredvid både båda då de dem den denna denne dess dessa dessutom det detta dig din dina ditt dock du där därför
        efter eftersom eller emellan en enligt er era ert ett ens fanns fast fastän fick finns flera flest fram
        framför från få får före först för förra förrän ge genast genom ger gjorde gjort gäller gör göra ha hade han
        hans har hela hellre henne hennes hit hon honom hos hur här i ibland icke idag igen igår in inga ingen inget
        innan inne inom inte inuti ja jag ju kan kanske knappt kom komma kommer kommit kunde kunna kunnat kvar kör
        lika liksom lite man med medan mellan men mera mest mig min mina mindre minst mitt mot mycket många måste nej
        ner nere ni nog nu nya någon någonting något några nån när nära nästa oavsett och också ofta om omkring oss
        redan samma samt sedan ses sig sin sina sist sitt själv ska skall skulle slut snart som strax så
        sådan sådana sådant tack tills till tillbaka tillsammans trots under upp uppe ur ut utan ute utom vad var vara
        varför varit varje vars vart vem vems verkligen vi via vid vidare vilka vilkas vilken vilket vill ville väl
        vår våra vårt än ända ändå ännu är även åt åter över
        """

    static let finnish = """
        ah ai aina ainakin ainoa ali alla alle ansiosta asti edes edessä ehkä ei eikä eilen eivät eli ellei elleivät
        emme en enemmän eniten ennen enää ensi ensin entä esi et eteen että ette ettei hän häneen hänelle hänellä
        häneltä hänen hänessä hänestä hänet häntä he heidän heidät heihin heille heillä heiltä heissä heistä heitä
        hyvin ihan itse ja jo joihin joiksi joilla joille joilta joina joissa joista joita joka jokainen joko joksi
        jolla jolle jolta jona jonka jos joskus jossa josta jota jotka jotta jälkeen kaikki kaikkien kaikkea kanssa
        kautta keneen keneksi kenelle kenellä keneltä kenen kenenä kenessä kenestä kenet ketkä ketä koko koska koskaan
        kuin kuinka kuitenkin kuka kukaan kun kyllä lisäksi lähellä luo luona läpi me meidän meidät meihin meille
        meillä meiltä meissä meistä meitä melko mihin miksi millä mille miltä milloin minkä minua minulla minulle
        minulta minun minussa minusta minut minuun minä missä mistä miten mitkä mitä mitään moni monta muita mukaan
        mutta muu muut myös ne niiden niihin niiksi niille niillä niiltä niin niinä niissä niistä niitä noiden noihin
        noilla noille noilta noin noissa noista noita nuo nyt näiden näihin näille näillä näiltä näin näissä näistä
        näitä nämä ole olemme olen olet olette oli olimme olin olisi olisimme olisin olisit olisitte olisivat olit
        olitte olivat olla olleet ollut on ovat paitsi paljon poikki pois saakka sama se sekä sen seuraava siellä
        sieltä siihen siinä siis siitä siksi sille sillä siltä sinua sinulla sinulle sinulta sinun sinussa sinusta
        sinut sinuun sinä sitä sitten taas tai tavalla te teidän teidät teihin teille teillä teiltä teissä teistä
        teitä tuo tuohon tuolla tuolle tuolta tuon tuossa tuosta tuota tähän tälle tällä tältä tämä tämän tässä tästä
        tätä täällä vaan vai vaikka vain varten vasta vastaan vielä vieressä voi voivat vähän yhä yli yllä ylös ympäri
        """

    static let hungarian = """
        a az egy én te ő mi ti ők maga magam magad magát magunk engem téged őt minket titeket őket nekem neked neki
        nekünk nektek nekik velem veled vele velünk veletek velük tőlem tőle róla rólam rajta bennem benne nála hozzá
        hozzám érte ez ezek ezt ezeket ennek ezzel ebben ebből erre erről ezért ettől ehhez azok azt azokat annak
        azzal abban abból arra arról azért attól ahhoz ilyen olyan ennyi annyi így úgy itt ott ide oda innen onnan ki
        kik kit mit mik kinek minek kivel mivel miért hol hova honnan mikor hogyan hogy milyen melyik mennyi hány aki
        akik akit akinek akivel ami amik amit aminek amely amelyek amelyet amelynek amelyben ahol ahova ahonnan amikor
        ahogy amíg amint valaki valami valahol valamikor valamilyen valamelyik bárki bármi bárhol mindenki minden
        mindegyik mindig mindkét senki semmi sehol soha se sem semmilyen egyik másik más mások egymás saját egyéb
        többi és s meg is de azonban viszont hanem vagy vagyis tehát mert hiszen ha akkor pedig illetve valamint azaz
        ugyanis bár noha habár mintha mint akár sőt ugyan nos hát no csak csakis éppen nem ne igen van vannak volt
        voltak voltam voltál voltunk lesz lesznek lenne lennének lett lettek legyen legyenek vagyok vagyunk vagytok
        lehet lehetett lehetne kell kellett kellene nincs nincsenek sincs tud fog fogja szokott alatt alá alól előtt
        elé elől mögött mögé mellett mellé között közé közül fölött felett felé felől után óta ellen által nélkül
        helyett szerint számára miatt végett iránt keresztül át belül kívül körül túl együtt el fel le be haza vissza
        össze szét már még most majd aztán először utoljára újra ismét néha gyakran ritkán talán persze nagyon elég
        egészen teljesen szinte majdnem legalább inkább leginkább több kevés sok néhány kicsit egyszer ma tegnap
        holnap tovább továbbá
        """

    static let romanian = """
        a abia acea aceasta această aceea acei aceia acel acela acele acelea acest acesta aceste acestea aceştia
        acestui acești aceștia acolo acum adică ai aia aici al ale alt alta altă alte altceva altcineva alţi alții
        altul am anume apoi ar are asta astea astfel asupra atât atâta atâția atunci au avea avem aveau aveţi aveți
        avut azi aș aşa așa aţi ați ba bine ca cam cand că căci când care cărei căror cărui cât câte câți către ce cea
        ceea cei ceilalţi ceilalți cel cele ceva chiar ci cine cineva cînd cît cîte conform cu cum cumva da dacă dar
        datorită de deci deja deoarece departe deși despre din dintr dintre doar după e ea ei el ele era erau este eu
        ești face fără fel fi fie fiecare fii fim fiind foarte fost fosta i ia iar ieri îi îl îmi împotriva în înainte
        înapoi încă încât între întrucât îşi își îţi îți la le li lângă lor lui m mă mai mea mei mele mereu meu mi mie
        mine mod mult multă multe mulţi mulți n ne nevoie ni nici niciodată nimeni nimic niște noastră noastre noi
        nostru noştri noștri nu o oarecare ori oricând oricare oricât orice oricine oricum până pe pentru peste poate
        pot prea prin printr puţin puțin s sa să săi sale sau său se si sint sînt spre sub sunt suntem sunteţi sunteți
        şi și ştiu t ta tale tău te ţi ți tine toată toate tot toţi toți totuşi totuși tu un una unde undeva unei
        uneia unele uneori unii unor unora unu unui unuia unul v va vă voastră voastre voi vom vor vostru voştri
        voștri vouă vreo vreun
        """

    static let catalan = """
        a abans ací ah així això al aleshores algun alguna algunes alguns alhora allà allí allò als altra altre altres
        amb ambdós anar ans apa aquell aquella aquelles aquells aquest aquesta aquestes aquests aquí baix bastant bé
        cada cadascú cadascun cadascuna cadascunes cadascuns com contra d da dalt de del dels des després
        dins dintre doncs durant e eh el ella elles ells els em en encara ens entre era erem eren eres és esta està
        estan estat estava estaven estem esteu estic et etc ets fa faig fan fas fem fer feu fi fins fora gairebé ha
        han has havia haver he hem heu hi ho i igual iguals inclòs ja jo l la les li llarg llavors lo los m ma mal
        malgrat mateix mateixa mateixes mateixos me mentre mes més meu meua meus meva meves mi mitjançant molt molta
        moltes molts n na ne ni no nogensmenys només nos nosaltres nostra nostre nostres o oh oi on pas pel
        pels per perquè però poc poca pocs podem poden poder podeu poques potser primer propi puc qual quals qualsevol
        quan quant quantes que què quelcom qui quin quina quines quins s sa sabem saben saber sabeu sap saps se
        semblant semblants sense ser seu seua seus seva seves si sí sinó sobre sobretot soc sóc solament sols som son
        són sons sota sou t ta tal també tampoc tan tant tanta tantes te tene tenim tenir teniu teu teus teva teves
        tinc ton tons tot tota totes tothom tots un una unes uns us va vaig vam van vas veu vosaltres vostra vostre
        vostres
        """

    static let basque = """
        al aldiz alde anitz arabera arte artean asko aski aurka aurrean aurretik azken azpian baina bakar bakoitz
        baino baita baitira baitzen bat batean batek baten batera baterako batez batzuei batzuek batzuen batzuetan
        batzuk bera beraien berau berauek bere berori beroriek bertan beste besteak besterik beti bezain bezala bidez
        bitarte bitartean bai ba da dago dagoen daude dela dena den dezake dezakete di die dien dio diogu diote ditu
        ditudan ditugu ditugun dituzte dituzten dituzu du duen duena dugu dugun dut duten dute edo edozein egin egiten
        egon elkar ere eta eurak ez ezer ezin gabe gain gainean gainera gero gisa gu gutxi guzti guztiak guztiek
        guztiz haien haiek haietan hain hainbat hainbeste hala halako han handik hango hara hargatik hari hark hartan
        hau hauei hauek hauetan hauen hauxe hemen hemendik hemengo hi hona honek honela honen honetan honi hor hori
        horiei horiek horien horietan horko horra horrek horrela horren horretan horri hortik hura ikusi inguru inoiz
        inor inork ipini iritzi izan izango izaten jada joan kanpo kontra lehen lortu nahi nahiz naiz nik ni noiz nola
        nolako non nondik nongo nor nora oso ondoren orain oraindik ordea ordez ostean osatu pean pixka ta txit zaie
        zaio zaion zaigu zait zaizu zara zaren zein zen zela zer zergatik zeren zituen zituzten ziren zirela zuek zuen
        zueten zuten zu zutela
        """

    static let slovene = """
        a ali am ampak b bi bila bile bili bilo biti blizu bo bodo bolj bom bomo boste bova boš brez c cel cela celo
        da daleč dan deloma do dobro dokler dol dovolj drug druga drugače druge drugega drugi drugo dve dva e eden en
        ena ene enega enkrat eno etc ga glede gor ha i iz ima imajo imam imamo imata imate imaš imela imele imeli
        imelo imel imeti in ista iste isti isto izven jaz je ji jih jim jo kadar kadarkoli kaj kajti kako kakor
        kakršen kam kamor kar karkoli katera kateri katere katerega katerem katerih katerikoli katero kdaj kdo kdor
        kdorkoli ker ki kje kjer kjerkoli ko koga kolikor komaj komu kot kratek kmalu k lahko le lep lepo ma malce
        malo manj mano me med medtem mene meni mi midva mimo moj moja moje moji mogoče mora morajo moram moramo morate
        moraš morda moči mu mnogo na nad naj naju nam nama nami namesto nas naš naša naše naši ne nedavno nek neka
        nekaj nekatere nekateri nekdo neke nekje neko nekoč nekoga nič ni nihče nikakor nikamor nikjer nikoli nima
        nisem nisi niso nista niste nismo nje njega njegov njegova njegovo njej njemu njen njena njeno nji njih njihov
        njihova njihovo njima njim njo no o ob oba obe od odprt okoli on ona onadva oni one onega ono opa oz oziroma
        pa po pod pogosto poleg poln ponavadi ponovno potem povsod pred predvsem preko pri približno prav preprosto
        proti prej precej saj sam sama samo sami se sebe sebi sedaj sem si sicer skoraj skozi smo so spet sta ste sva
        sveto svoj svoja svoje svojega svojo ta tak taka take tako takoj takšen takrat tam te tebe tebi teden tega tem
        temu ter ti tista tiste tisti tistega tisto tja to toda tod torej toliko tu tudi tukaj tvoj tvoja tvoje u v
        vaju vam vas vaš vaša vaše ve vedno velik več vendar ves vi vidva vsa vsaj vsak vsaka vsake vsakdo vsako
        vsakega vse vsega vsem vseeno vsi vselej z za zadaj zadosti zakaj zaradi zato zdaj že želi čeprav če često čez
        čigav še
        """

    static let turkish = """
        acaba altında ama ancak arada aslında asla ayrıca az bana başka bazen bazı bazıları belki ben benden beni
        benim beri beş bile bin bir biraz birçok birçoğu biri birisi birkaç birlikte birşey biz bizden bizi bize bizim
        böyle böylece bu buna bunda bundan bunlar bunları bunların bunu bunun burada bütün çoğu çok çünkü da daha dahi
        de değil defa diğer diğeri diye dolayı edecek eden ederek edilecek ediliyor edilmesi ediyor eğer etmesi etti
        ettiği ettiğini en fakat falan filan gene gerek gibi göre halen hangi hangisi hatta hem henüz hep hepsi her
        herhangi herkes herkese herkesin hiç hiçbir için içinde ile ilgili ise işte itibaren itibariyle kaç kadar
        karşın kendi kendilerine kendine kendini kendisi kendisine kendisini kez ki kim kimden kime kimi kimse kimin
        madem mı mi mu mü nasıl ne neden nedenle nerde nerede nereye niye niçin o olan olarak oldu olduğu olduğunu
        olduklarını olmadı olmadığı olmak olması olmayan olmaz olsa olsun olup olur olursa oluyor on ona ondan onlar
        onlara onlardan onları onların onu onun orada oysa öyle önce ötürü pek rağmen sadece sana sanki sen senden
        seni senin siz sizden sizi size sizin şey şeyi şeyler şimdi şöyle şu şuna şunda şundan şunlar şunları şunu
        şunun tarafından tüm üzere var vardı ve veya veyahut ya yani yapacak yapılan yapılması yapıyor yapmak yaptı
        yaptığı yaptığını yaptıkları yerine yine yok yoksa zaten zira
        """

    static let greek = """
        αλλά αλλα αν ανά αντί αντίς από απο αποτελείται αρά αυτά αυτές αυτή αυτήν αυτής αυτό αυτοί αυτός αυτού αυτούς
        αυτών ας αφού βέβαια για γιατί γύρω δεν δηλαδή δια διότι εάν εγώ εδώ εκεί εκείνα εκείνες εκείνη εκείνο εκείνοι
        εκείνος εκείνους εκείνων εμάς εμείς εμένα εν ενώ ένα έναν ένας ενός εξ επί επειδή επίσης επάνω εσάς εσείς
        εσένα εσύ έτσι ετούτη έχει έχεις έχετε έχουμε έχουν έχω ή ήδη ήμουν ήσουν ήταν η θα ιδίως ίδια ίδιο ίδιος ίσως
        κάθε και κάτι κάτω κάποια κάποιες κάποιο κάποιοι κάποιος καθώς καλά κανείς κανένας κατά κι κοντά λόγω μα μαζί
        με μέσα μέσω μετά μεταξύ μέχρι μη μην μήπως μια μία μιας μόλις μόνο μου μπορεί μπορούν μπροστά να ναι ξανά ο
        οι όλα όλες όλη όλο όλοι όλος όλους όλων όμως όπου όποιος όποια όποιο όπως όσα όσο όσοι όσος όταν ότι οποία
        οποίο οποίος οποίοι οποίες οποίων ούτε πάλι πάντα πάνω πάρα παρά πια πιο πλέον ποια ποιο ποιοι ποιος ποιον
        ποιων πολύ πολλά πολλοί πόσο ποτέ πότε που πού πρέπει πριν προς πρώτα πως πώς σαν σας σε σχεδόν σου στα στη
        στην στης στις στο στον στους στου στων συν σχετικά τα τέτοια τέτοιο τέτοιος τη την της τι τίποτα τίποτε τις
        το τον τόσο τότε του τουλάχιστον τους τώρα των υπέρ υπό χωρίς ω ως ώσπου ώστε είμαι είσαι είναι είμαστε είστε
        είχα είχε είχαν είτε εκτός
        """
}
